import MartletValues
import Testing

/// The checks of `JobTests` against records that are made here: they find nothing in those of a right run, and each fault in those of a wrong one.
@Suite("What jobs left behind is checked")
struct JobChecksTests {
  private static let stop = "the server stopped while the action ran; it is not known how far it came"

  /// What a run without a fault leaves; some attempts are interrupted, before or after the peer was asked.
  private static func rightRecords(numbers: Range<Int> = 0..<60) -> JobRecords {
    var records = JobRecords(plan: PeerPlan(seed: 1))
    var time = 1_000.0
    func job(
      _ function: String, _ number: Int?, _ state: String, error: String? = nil, run: String? = nil, cron: String? = nil, at scheduled: Double? = nil
    ) {
      time += 1
      var document: ObjectValue = [
        "_id": .string("job\(time)"), "_creationTime": .float64(time), "name": .string(function), "scheduledTime": .float64(scheduled ?? time),
        "completedTime": .float64(time + 1), "state": ["kind": .string(state)],
      ]
      document["args"] = number.map { ["number": .float64(Double($0))] } ?? [:]
      if let error { document["state"] = ["kind": .string(state), "error": .string(error)] }
      if let run { document["retry"] = .string(run) }
      if let cron { document["cron"] = .string(cron) }
      records["_scheduled_functions"].append(.object(document))
    }
    func ask(_ path: String, _ answer: PeerPlan.Answer) -> String? {
      let receipt = answer.succeeds ? "\(path)#" : nil
      records.exchanges.append(.init(path: path, receipt: receipt))
      return receipt
    }
    for number in numbers {
      records["plans"].append(["number": .float64(Double(number))])
      if number % 11 == 0 { job("jobs:add", number, "failed", error: "as planned") }
      for depth in 0...number % 3 where number % 11 != 0 {
        job("jobs:add", number, "success")
        records["added"].append(["element": .string("\(number).\(depth)")])
      }
      if number % 13 == 0 {
        job("jobs:add", number, "canceled")
        job("jobs:cancel", nil, "success")
      }
      if number % 2 == 0 {
        let answer = records.plan.answer(to: "visit", number, attempt: 0)
        _ = ask("/visit/\(number)/0", answer)
        job("jobs:visit", number, answer.succeeds ? "success" : "failed", error: answer.succeeds ? nil : "no luck")
      }
      addRun(number)
    }
    func addRun(_ number: Int) {
      let (id, most) = ("run\(number)", number % 5 == 1 ? 2 : 40)
      var (attempt, state, result, error): (Int, String?, Value?, String?) = (0, nil, nil, nil)
      while state == nil {
        let path = "/fetch/\(number)/\(attempt)"
        let answer = records.plan.answer(to: "fetch", number, attempt: attempt)
        let isInterrupted = number % 7 == 3 && attempt == 0
        let receipt = isInterrupted && number % 2 == 1 ? nil : ask(path, answer)
        if answer.succeeds, !isInterrupted {
          job("jobs:fetch", number, "success", run: id)
          (state, result, error) = ("success", .string(receipt!), nil)
        } else {
          error = isInterrupted ? stop : "no luck"
          job("jobs:fetch", number, "failed", error: error, run: id)
          attempt += 1
          if answer.isFinal && !isInterrupted || attempt > most { state = "failed" }
        }
        if answer == .tooMany { time += 2_000 }
      }
      var run: ObjectValue = [
        "_id": .string(id), "args": ["number": .float64(Double(number))], "options": ["maxFailures": .float64(Double(most))],
        "failures": .float64(Double(attempt)), "state": .string(state!),
      ]
      var told: ObjectValue = ["type": .string(state!)]
      if let result { (run["result"], told["returnValue"]) = (result, result) }
      if state == "failed", let error { told["error"] = .string(error) }
      records["_retries"].append(.object(run))
      records["completions"].append(["run": .string(id), "result": .object(told)])
    }
    for (cron, interval) in [("often", 100.0), ("seldom", 170)] {
      records["_crons"].append(["name": .string(cron), "anchor": .float64(0)])
      for run in 1...3 {
        job("jobs:tick", nil, "success", cron: cron, at: Double(run) * interval)
        records["ticks"].append(["cron": .string(cron), "at": .float64(time + 1)])
      }
    }
    records.count()
    return records
  }

  @Test("The records of a right run are right, also where kills met actions")
  func right() throws {
    let checks = try JobChecks(Self.rightRecords())
    #expect(checks.problems() == [])
    #expect(checks.interrupted > 5)
  }

  enum Fault: CaseIterable {
    case askedTwice, notAsked, notTold, toldTwice, toldOtherwise, effectTwice, effectMissing, successAgainstThePlan, failureAgainstThePlan, otherReceipt
    case leftPending, leftInProgress, attemptTooMany, attemptTooEarly, visitTwice, failureForgotten, tickTwice, offTheGrid

    func strike(_ records: inout JobRecords) {
      let number = 2.0
      let answered = records.exchanges.firstIndex { $0.receipt != nil && $0.path.hasPrefix("/fetch") }!
      switch self {
      case .askedTwice: records.exchanges.append(records.exchanges[answered])
      case .notAsked: records.exchanges.remove(at: answered)
      case .notTold: records["completions"].removeLast()
      case .toldTwice: records["completions"].append(records["completions"][7])
      case .toldOtherwise: records.change("completions", { $0["result"]?["type"] == "success" }) { $0["result"] = ["type": "failed", "error": "no luck"] }
      case .effectTwice: records["added"].append(records["added"][5])
      case .effectMissing: records["added"].remove(at: 5)
      case .successAgainstThePlan:
        records.change("_scheduled_functions", { $0["name"] == "jobs:visit" && $0["state"]?["error"] == "no luck" }) { $0["state"] = ["kind": "success"] }
      case .failureAgainstThePlan:
        records.change("_scheduled_functions", { $0["name"] == "jobs:visit" && $0["state"]?["kind"] == "success" }) {
          $0["state"] = ["kind": "failed", "error": "no luck"]
        }
      case .otherReceipt: records.change("_retries", { $0["state"] == "success" }) { $0["result"] = "another" }
      case .leftPending: records.change("_scheduled_functions", { $0["name"] == "jobs:cancel" }) { $0["state"] = ["kind": "pending"] }
      case .leftInProgress: records.change("_scheduled_functions", { $0["name"] == "jobs:visit" }) { $0["state"] = ["kind": "inProgress"] }
      case .attemptTooMany: records["_scheduled_functions"].append(records["_scheduled_functions"].last { $0["retry"] == .string("run\(Int(number))") }!)
      case .attemptTooEarly:
        let jobs = records["_scheduled_functions"]
        let late = jobs.indices.dropFirst().first { index in
          guard let run = jobs[index]["retry"], run == jobs[index - 1]["retry"], let before = jobs[index - 1]["completedTime"]?.number else { return false }
          return (jobs[index]["scheduledTime"]?.number ?? 0) - before > 1_000
        }!
        records.change("_scheduled_functions", { $0["_id"] == jobs[late]["_id"] }) { $0["scheduledTime"] = jobs[late - 1]["completedTime"] }
      case .visitTwice: records["_scheduled_functions"].append(records["_scheduled_functions"].first { $0["name"] == "jobs:visit" }!)
      case .failureForgotten: records.change("_retries", { $0["failures"] != 0 }) { $0["failures"] = 0 }
      case .tickTwice: records["ticks"].append(records["ticks"][0])
      case .offTheGrid: records.change("_scheduled_functions", { $0["cron"] == "seldom" }) { $0["scheduledTime"] = 171 }
      }
    }
  }

  @Test("Each fault is found", arguments: Fault.allCases)
  func wrong(_ fault: Fault) throws {
    var records = Self.rightRecords()
    fault.strike(&records)
    // A fault that counts itself is found as well.
    for countsItself in [false, true] {
      if countsItself { records.count() }
      #expect(try JobChecks(records).problems() != [], "\(fault)")
    }
  }
}

extension JobRecords {
  /// What the app counts along.
  fileprivate mutating func count() {
    self["tallies"] = [
      ["name": "added", "count": .float64(Double(self["added"].count))], ["name": "completed", "count": .float64(Double(self["completions"].count))],
    ]
  }

  fileprivate mutating func change(_ table: String, _ isMeant: (Value) -> Bool, _ change: (inout ObjectValue) -> Void) {
    guard let index = self[table].firstIndex(where: isMeant), case .object(var members) = self[table][index] else {
      preconditionFailure("there is no such document in \(table)")
    }
    change(&members)
    self[table][index] = .object(members)
  }
}
