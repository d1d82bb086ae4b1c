import FoundationEssentials
import Glibc

/// Pairs of accounts, one of which pays the other in instalments: jobs whose effect can be checked.
final class Instalments {
  struct Paid {
    /// In milliseconds, of each job.
    var latenesses: [Double]
    var processorShare: Double
  }

  private struct Page: Decodable {
    struct Job: Decodable {
      struct State: Decodable { var kind: String }
      var scheduledTime: Double
      var completedTime: Double
      var state: State
    }
    var page: [Job]
    var continueCursor: String?
    var isDone: Bool
  }

  private struct Statistics: Decodable { var jobsPending: Double }

  private let server: MartletServer
  private let ids: [String]
  private var paid = 0
  private static let pairs = 100
  private static let opening = 1_000_000_000.0
  /// How many jobs one call schedules at most; a transaction writes 16,000 documents at most.
  private static let mostPerCall = 10_000
  /// Time to schedule all jobs before the first is due.
  private static let leadMilliseconds = 3_000.0

  init(server: MartletServer) throws {
    self.server = server
    let bank = MartletBank(server: server)
    try bank.open(count: 2 * Self.pairs, balance: Int(Self.opening))
    ids = bank.ids
  }

  private func schedule(pair: Int, count: Int, everyMs: Double, afterMs: Double) -> (verb: String, function: String, arguments: String) {
    (
      "mutation", "accounts:payInInstalments",
      #"{"from":"\#(ids[2 * pair])","to":"\#(ids[2 * pair + 1])","amount":1,"count":\#(count),"everyMs":\#(everyMs),"afterMs":\#(afterMs)}"#
    )
  }

  // MARK: Due

  /// Has jobs run, evenly spread, and gives how late each was.
  func payAll(jobs: Int, withinSeconds seconds: Double, _ report: inout Report) throws -> Paid {
    let each = jobs / Self.pairs
    let interval = seconds * 1_000 / Double(each)
    let began = Clock.nowNanoseconds()
    let wallTime = Self.wallMilliseconds()
    for pair in 0..<Self.pairs {
      // Each call's times count from its own; all of them are to interleave.
      let passed = Double(Clock.nowNanoseconds() - began) / 1e6
      let first = Self.leadMilliseconds - passed + interval * Double(pair) / Double(Self.pairs)
      _ = try server.raw([schedule(pair: pair, count: each, everyMs: interval, afterMs: first)])
    }
    let scheduling = Double(Clock.nowNanoseconds() - began) / 1e6
    guard scheduling < Self.leadMilliseconds else {
      throw BenchmarkError("scheduling \(jobs) jobs took \(Int(scheduling)) ms, longer than the \(Int(Self.leadMilliseconds)) before the first is due")
    }
    Self.sleep(milliseconds: Self.leadMilliseconds - scheduling)
    let before = ProcessorTime.of(process: server.process.id)
    Self.sleep(milliseconds: seconds * 1_000)
    let used = ProcessorTime.of(process: server.process.id) - before
    let deadline = Clock.nowNanoseconds() + 60_000_000_000
    while try server.call("query", "_system:stats", as: Statistics.self).jobsPending > 0 {
      guard Clock.nowNanoseconds() < deadline else { throw BenchmarkError("jobs are still pending a minute after they were due") }
      Self.sleep(milliseconds: 100)
    }
    paid += each
    try check(&report)
    let latenesses = try finished(since: wallTime, &report)
    if latenesses.count != each * Self.pairs {
      report.failures.append("\(latenesses.count) jobs are done instead of \(each * Self.pairs)")
    }
    return Paid(latenesses: latenesses, processorShare: Double(used) / 1e9 / seconds)
  }

  /// Each payer and each payee has exactly what so many instalments make of it.
  private func check(_ report: inout Report) throws {
    let balances = try server.raw(ids.map { ("query", "accounts:get", #"{"id":"\#($0)"}"#) }).map {
      try server.decode(AccountDocument.self, from: $0).balance
    }
    let wrong = balances.indices.filter { balances[$0] != Self.opening + Double($0.isMultiple(of: 2) ? -paid : paid) }
    if let first = wrong.first {
      report.failures.append("\(wrong.count) of \(balances.count) accounts don't hold what \(paid) instalments make, such as \(balances[first])")
    }
  }

  private func finished(since wallTime: Double, _ report: inout Report) throws -> [Double] {
    var latenesses: [Double] = []
    var cursor = ""
    while true {
      let page = try server.call(
        "query", "_system:documents",
        #"{"table":"_scheduled_functions","index":"by_completion","range":{"gte":\#(wallTime)},"limit":4000\#(cursor)}"#, as: Page.self)
      for job in page.page {
        if job.state.kind != "success" { report.failures.append("a job is \(job.state.kind)") }
        latenesses.append(job.completedTime - job.scheduledTime)
      }
      guard !page.isDone, let next = page.continueCursor else { return latenesses }
      cursor = #","cursor":"\#(next)""#
    }
  }

  // MARK: Pending

  private static let yearMilliseconds = 365 * 86_400_000.0

  func schedulePending(_ count: Int) throws {
    var left = count
    var pair = 0
    while left > 0 {
      let part = min(left, Self.mostPerCall)
      _ = try server.raw([schedule(pair: pair % Self.pairs, count: part, everyMs: 1_000, afterMs: Self.yearMilliseconds + Double(pair))])
      left -= part
      pair += 1
    }
  }

  /// Microseconds that a call takes which schedules one job, by the median. It lies among the others, not after them.
  func timeOfOne(calls: Int) throws -> Double {
    var times: [Double] = []
    for number in 0..<calls {
      let request = schedule(pair: number % Self.pairs, count: 1, everyMs: 0, afterMs: Self.yearMilliseconds + Double(number) * 997)
      let began = Clock.nowNanoseconds()
      _ = try server.raw([request])
      times.append(Double(Clock.nowNanoseconds() - began) / 1_000)
    }
    return median(times)
  }

  /// Waits until the server has used no processor time for a second; a minute at most.
  func waitForQuiet() throws {
    for _ in 0..<60 {
      let before = ProcessorTime.of(process: server.process.id)
      Self.sleep(milliseconds: 1_000)
      try Interruption.check()
      if ProcessorTime.of(process: server.process.id) == before { return }
    }
  }

  private static func wallMilliseconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) * 1_000 + Double(time.tv_nsec / 1_000) / 1_000
  }

  private static func sleep(milliseconds: Double) {
    if milliseconds > 0 { usleep(UInt32(milliseconds * 1_000)) }
  }
}
