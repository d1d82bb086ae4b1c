import MartletValues

/// What is left of a run of `HistoryApp`: the documents of its tables, and what its peer was asked.
struct JobRecords {
  static let tables = ["_scheduled_functions", "plans", "added", "_retries", "completions", "tallies", "ticks", "_crons", "_cron_runs"]

  var plan: PeerPlan
  var documents: [String: [Value]] = [:]
  var exchanges: [PlannedPeer.Exchange]
  /// A snapshot was restored: what the peer was asked after it was made, it was asked a second time.
  var areOfSnapshot = false

  init(plan: PeerPlan, exchanges: [PlannedPeer.Exchange] = []) {
    self.plan = plan
    self.exchanges = exchanges
  }

  init(_ client: RawClient, _ peer: PlannedPeer) throws {
    // Crons go on meanwhile: what they did is read after the jobs that did it, so that it is there.
    for table in Self.tables { documents[table] = try client.allDocuments(table) }
    plan = peer.plan
    exchanges = peer.exchanges
  }

  subscript(table: String) -> [Value] {
    get { documents[table] ?? [] }
    set { documents[table] = newValue }
  }
}

/// What of the records contradicts the plans: that of `HistoryApp` (see `Tests/HistoryApp/Jobs.swift`) and its peer's.
///
/// A kill may have met an action anywhere, so an attempt that was interrupted tells little: the peer was asked for it once or not at all. From all
/// others, and from the plan, everything else follows: how each attempt ended, that there was another or none, and what `onComplete` was told.
struct JobChecks {
  struct Job {
    let id: String
    let function: String
    let number: Int?
    let creationTime: Double
    let scheduledTime: Double
    let completedTime: Double?
    let state: String
    let error: String?
    let cron: String?
    let run: String?

    /// Its process ended while it ran.
    var wasInterrupted: Bool { error?.hasPrefix("the server stopped") == true }
  }

  let plans: [Int]
  let jobs: [Job]
  private let added: [String]
  private let runs: [Value]
  private let completions: [Value]
  private let tallies: [String: Int]
  private let ticks: [Tick]
  private let crons: [Value]
  private let cronRuns: [Value]
  private let jobsByNumber: [Int: [Job]]
  private let plan: PeerPlan
  private let areOfSnapshot: Bool
  /// What the peer was asked, by path.
  private let exchanges: [String: [PlannedPeer.Exchange]]

  /// A cron's run, which notes its transaction's time, as its job does.
  private struct Tick: Hashable {
    let cron: String
    let at: Double
  }

  var interrupted: Int { jobs.count(where: \.wasInterrupted) }

  init(_ records: JobRecords) throws {
    plan = records.plan
    areOfSnapshot = records.areOfSnapshot
    exchanges = Dictionary(grouping: records.exchanges, by: \.path)
    jobs = try records["_scheduled_functions"].map(Job.init)
    plans = try records["plans"].map { try $0.whole("number") }
    added = try records["added"].map { try $0.string("element") }
    runs = records["_retries"]
    completions = records["completions"]
    tallies = Dictionary(uniqueKeysWithValues: try records["tallies"].map { (try $0.string("name"), try $0.whole("count")) })
    ticks = try records["ticks"].map { Tick(cron: try $0.string("cron"), at: $0["at"]?.number ?? .nan) }
    crons = records["_crons"]
    cronRuns = records["_cron_runs"]
    jobsByNumber = Dictionary(grouping: jobs.filter { $0.number != nil }) { $0.number! }
  }

  func problems() -> [String] { stateProblems() + mutationProblems() + peerProblems() + visitProblems() + retryProblems() + cronProblems() }

  /// Crons go on for as long as the server runs; all else has come to its end.
  private func stateProblems() -> [String] {
    jobs.filter { $0.cron == nil && ($0.state == "pending" || $0.state == "inProgress") }.map { "\($0.function) of \($0.number ?? -1) is \($0.state)" }
  }

  // MARK: Mutations

  private func mutationProblems() -> [String] {
    var problems: [String] = []
    let expected = plans.filter { $0 % 11 != 0 }.flatMap { number in (0...number % 3).map { "\(number).\($0)" } }
    if added.sorted() != expected.sorted() {
      let (lack, excess) = (Set(expected).subtracting(added), Set(added).subtracting(expected))
      problems.append("elements: \(added.count), not \(expected.count); missing \(lack.prefix(3)), too many \(excess.prefix(3))")
    }
    if tallies["added"] != added.count { problems.append("counted \(tallies["added"] ?? 0) of \(added.count) elements") }
    for number in plans {
      // What fails takes back what it scheduled.
      var states: [String] = number % 11 == 0 ? ["failed as planned"] : Array(repeating: "success", count: number % 3 + 1)
      if number % 13 == 0 { states.append("canceled") }
      let found = jobsByNumber[number, default: []].filter { $0.function == "jobs:add" }.map { $0.state + ($0.error.map { " \($0)" } ?? "") }
      if found.sorted() != states.sorted() { problems.append("jobs:add of \(number): \(found), not \(states)") }
    }
    let cancels = jobs.filter { $0.function == "jobs:cancel" }
    if cancels.count != plans.count(where: { $0 % 13 == 0 }) || cancels.contains(where: { $0.state != "success" }) {
      problems.append("jobs:cancel: \(cancels.map(\.state))")
    }
    return problems
  }

  // MARK: Actions

  /// At most once an attempt: the peer knows best.
  private func peerProblems() -> [String] {
    if areOfSnapshot { return [] }
    return exchanges.filter { $0.value.count != 1 }.map { "\($0.key) was asked for \($0.value.count) times" }
  }

  /// What is wrong with how an attempt ended.
  /// - Parameter receipt: what its job, or its run, says that the peer answered.
  private func problem(of job: Job, _ function: String, _ number: Int, attempt: Int, receipt: String?) -> String? {
    let path = "/\(function)/\(number)/\(attempt)"
    if job.wasInterrupted { return nil }
    guard let exchanges = exchanges[path] else { return "\(path): \(job.state), and the peer was not asked" }
    let answer = plan.answer(to: function, number, attempt: attempt)
    guard job.state == (answer.succeeds ? "success" : "failed") else { return "\(path): \(job.state), where the peer's answer is \(answer)" }
    if let receipt, !exchanges.contains(where: { $0.receipt == receipt }) {
      return "\(path): the answer is \(receipt), the peer's was \(exchanges.map { $0.receipt ?? "none" })"
    }
    return nil
  }

  private func visitProblems() -> [String] {
    var problems: [String] = []
    for number in plans where number % 2 == 0 {
      let visits = jobsByNumber[number, default: []].filter { $0.function == "jobs:visit" }
      if visits.count != 1 { problems.append("\(number) is visited by \(visits.count) jobs") }
      problems += visits.compactMap { problem(of: $0, "visit", number, attempt: 0, receipt: nil) }
    }
    return problems
  }

  // MARK: Retries

  private func retryProblems() -> [String] {
    var problems: [String] = []
    if runs.count != plans.count { problems.append("\(runs.count) runs of the retrier for \(plans.count) plans") }
    var told: [String: [Value]] = [:]
    for completion in completions { told[completion["run"]?.text ?? "", default: []].append(completion["result"] ?? .null) }
    if tallies["completed"] != completions.count { problems.append("counted \(tallies["completed"] ?? 0) of \(completions.count) completions") }
    let byRun = Dictionary(grouping: jobs.filter { $0.run != nil }) { $0.run! }
    for run in runs {
      let number = run["args"]?["number"]?.number.map { Int($0) } ?? -1
      let id = run["_id"]?.text ?? ""
      let attempts = byRun[id, default: []].sorted { $0.creationTime < $1.creationTime }
      problems += self.problems(of: run, number, attempts, told[id, default: []]).map { "run of \(number): \($0)" }
    }
    return problems
  }

  private func problems(of run: Value, _ number: Int, _ attempts: [Job], _ told: [Value]) -> [String] {
    var problems: [String] = []
    let most = run["options"]?["maxFailures"]?.number.map { Int($0) } ?? 0
    for (attempt, job) in attempts.enumerated() {
      let answer = plan.answer(to: "fetch", number, attempt: attempt)
      let receipt = job.state == "success" ? run["result"]?.text ?? "" : nil
      if let problem = problem(of: job, "fetch", number, attempt: attempt, receipt: receipt) { problems.append(problem) }
      let isLast = job.state == "success" || !job.wasInterrupted && answer.isFinal || attempt == most
      if isLast != (attempt == attempts.count - 1) { problems.append("attempt \(attempt) of \(attempts.count) is \(isLast ? "" : "not ")the last") }
      guard answer == .tooMany, !job.wasInterrupted, attempt + 1 < attempts.count else { continue }
      let wait = attempts[attempt + 1].scheduledTime - (job.completedTime ?? .infinity)
      if wait < Double(PeerPlan.retryAfterSeconds) * 1_000 { problems.append("attempt \(attempt + 1) came after \(wait) ms") }
    }
    let expected = attempts.last?.state ?? "success"
    if run["state"]?.text != expected { problems.append("\(run["state"] ?? .null), not \(expected)") }
    let failures = attempts.count { $0.state == "failed" }
    if run["failures"]?.number != Double(failures) { problems.append("\(failures) failures, noted \(run["failures"] ?? .null)") }
    guard told.count == 1, told[0]["type"]?.text == expected, told[0]["returnValue"] == run["result"],
      told[0]["error"]?.text == (expected == "failed" ? attempts.last?.error : nil)
    else { return problems + ["onComplete was told \(told)"] }
    return problems
  }

  // MARK: Crons

  private func cronProblems() -> [String] {
    var problems: [String] = []
    for (name, interval) in [("often", 100.0), ("seldom", 170.0)] {
      guard let anchor = crons.first(where: { $0["name"]?.text == name })?["anchor"]?.number else { return ["there is no cron \(name)"] }
      let own = jobs.filter { $0.cron == name }
      let times = own.map(\.scheduledTime)
      if Set(times).count != times.count { problems.append("cron \(name) ran twice for one time") }
      if let time = times.first(where: { ($0 - anchor).truncatingRemainder(dividingBy: interval) != 0 }) {
        problems.append("cron \(name) ran for \(time), which is not on its grid from \(anchor)")
      }
      if own.contains(where: { $0.state != "success" && $0.state != "pending" }) { problems.append("cron \(name): \(Set(own.map(\.state)))") }
      let done = own.compactMap { $0.state == "success" ? $0.completedTime : nil }.sorted()
      let ticked = ticks.filter { $0.cron == name && $0.at <= done.last ?? 0 }.map(\.at).sorted()
      if ticked != done { problems.append("cron \(name): \(done.count) runs ticked \(ticked.count) times") }
      let runTimes = cronRuns.filter { $0["name"]?.text == name }.compactMap { $0["scheduledTime"]?.number }
      if runTimes.count > 20 || Set(runTimes).count != runTimes.count { problems.append("cron \(name): runs at \(runTimes)") }
    }
    return problems
  }
}

extension JobChecks.Job {
  fileprivate init(_ document: Value) throws {
    id = try document.string("_id")
    function = try document.string("name")
    number = document["args"]?["number"]?.number.map { Int($0) }
    creationTime = document["_creationTime"]?.number ?? .nan
    scheduledTime = document["scheduledTime"]?.number ?? .nan
    completedTime = document["completedTime"]?.number
    state = try document["state"]?.string("kind") ?? "none"
    error = document["state"]?["error"]?.text
    cron = document["cron"]?.text
    run = document["retry"]?.text
  }
}

extension Value {
  fileprivate func string(_ field: String) throws -> String {
    guard let text = self[field]?.text else { throw Failure("no text \(field) in \(self)") }
    return text
  }

  fileprivate func whole(_ field: String) throws -> Int {
    guard let number = self[field]?.number else { throw Failure("no number \(field) in \(self)") }
    return Int(number)
  }
}
