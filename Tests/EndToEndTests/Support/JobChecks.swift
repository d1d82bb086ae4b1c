import MartletValues

/// What the jobs of `HistoryApp` left behind, and what of it contradicts the plan. See `Tests/HistoryApp/Jobs.swift`.
struct JobChecks {
  struct Job {
    let id: String
    let function: String
    let number: Int?
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
  /// What executions of actions noted of themselves, by number.
  private let visits: [Int: [String]]
  private let fetches: [Int: [String]]

  /// A cron's run, which notes its transaction's time, as its job does.
  private struct Tick: Hashable {
    let cron: String
    let at: Double
  }

  var interrupted: Int { jobs.count(where: \.wasInterrupted) }

  init(_ client: RawClient) throws {
    // Crons go on meanwhile: what they did is read after the jobs that did it, so that it is there.
    jobs = try client.allDocuments("_scheduled_functions").map(Job.init)
    plans = try client.allDocuments("plans").map { try $0.whole("number") }
    added = try client.allDocuments("added").map { try $0.string("element") }
    var tokens: [Bool: [Int: [String]]] = [:]
    for attempt in try client.allDocuments("attempts") {
      tokens[attempt["isRetried"] == true, default: [:]][try attempt.whole("number"), default: []].append(try attempt.string("token"))
    }
    visits = tokens[false] ?? [:]
    fetches = tokens[true] ?? [:]
    runs = try client.allDocuments("_retries")
    completions = try client.allDocuments("completions")
    tallies = Dictionary(
      uniqueKeysWithValues: try client.allDocuments("tallies").map { (try $0.string("name"), try $0.whole("count")) })
    ticks = try client.allDocuments("ticks").map { Tick(cron: try $0.string("cron"), at: $0["at"]?.number ?? .nan) }
    crons = try client.allDocuments("_crons")
    cronRuns = try client.allDocuments("_cron_runs")
    jobsByNumber = Dictionary(grouping: jobs.filter { $0.number != nil }) { $0.number! }
  }

  func problems() -> [String] { mutationProblems() + actionProblems() + retryProblems() + cronProblems() }

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

  /// Each execution notes a token of its own, and answers it or fails with it: so a job that ended by itself has exactly one, and one
  /// that was interrupted has one at most.
  private func actionProblems() -> [String] {
    var problems: [String] = []
    for number in plans where number % 2 == 0 {
      let (jobs, tokens) = (jobsByNumber[number, default: []].filter { $0.function == "jobs:visit" }, visits[number, default: []])
      guard jobs.count == 1, let visit = jobs.first else {
        problems.append("\(number) is visited by \(jobs.count) jobs")
        continue
      }
      let isRight: Bool =
        switch visit.state {
        case "success": number % 4 != 0 && tokens.count == 1
        case "failed": visit.wasInterrupted ? tokens.count <= 1 : number % 4 == 0 && tokens == [visit.error]
        default: false
        }
      if !isRight { problems.append("the visit of \(number): \(visit.state) \(visit.error ?? ""), executions \(tokens)") }
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
      let (attempts, tokens) = (byRun[id, default: []], fetches[number, default: []])
      let failures = attempts.count { $0.state == "failed" }
      let expected = number % 5 < 2 ? "failed" : "success"
      func problem(_ text: String) { problems.append("run of \(number): \(text)") }

      if run["state"]?.text != expected { problem("\(run["state"] ?? .null), not \(expected)") }
      if run["failures"]?.number != Double(failures) { problem("\(failures) failures, noted \(run["failures"] ?? .null)") }
      let results = told[id, default: []]
      if results.count != 1 || results[0]["type"]?.text != expected { problem("onComplete was told \(results)") }
      if attempts.contains(where: { $0.state != "failed" && $0.state != "success" }) { problem("states \(attempts.map(\.state))") }
      let interrupted = attempts.count(where: \.wasInterrupted)
      if tokens.count > attempts.count || tokens.count < attempts.count - interrupted {
        problem("\(tokens.count) executions in \(attempts.count) attempts, \(interrupted) of them interrupted")
      }
      let planned: ClosedRange<Int>
      switch number % 5 {
      case 0: planned = 1...1
      case 1:
        planned = 3...3
        if failures != 3 { problem("\(failures) failures, where it gives up after 3") }
      default:
        planned = 0...2
        if let token = results.first?["returnValue"]?.text, !tokens.contains(token) { problem("answered \(token), which no execution said") }
      }
      if number % 5 != 1, !planned.contains(failures - interrupted) { problem("\(failures) failures, \(interrupted) of them interrupted") }
      // What ended by itself said which execution it was; only an interrupted one may have said nothing more.
      let named = Set(attempts.compactMap(\.error) + results.compactMap { $0["returnValue"]?.text })
      let silent = tokens.count { !named.contains($0) }
      if silent > interrupted + (number % 5 == 0 ? 1 : 0) { problem("\(silent) executions without an end, \(interrupted) interrupted") }
    }
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
