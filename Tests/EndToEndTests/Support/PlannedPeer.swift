import Synchronization
import TestServers
import TestSupport

/// The server that the actions of `HistoryApp` ask: it fails by a plan, and keeps a record of all that it was asked, which no kill of the other can touch.
///
///     GET /fetch/12/0     the first attempt of the run of number 12
///     GET /visit/12/0     the only one of the action that was scheduled for it
struct PeerPlan: Sendable {
  enum Answer: Sendable, CaseIterable {
    case receipt, slowReceipt
    /// Failures after which another try may help.
    case tooMany, broken, malformedBody, noHTTP, dropped, cut
    /// A failure that is final.
    case notFound

    var succeeds: Bool { self == .receipt || self == .slowReceipt }
    var isFinal: Bool { self == .notFound }
  }

  /// What `tooMany` asks for with Retry-After.
  static let retryAfterSeconds = 1
  private static let failures: [Answer] = [.broken, .malformedBody, .noHTTP, .dropped, .cut, .broken, .dropped, .tooMany]

  var seed: UInt64

  /// Of an action's execution: numbers that are divisible by 5 end with a failure that is final, those after them never succeed, others do after up to
  /// two failures.
  func answer(to function: String, _ number: Int, attempt: Int) -> Answer {
    var random = TestRandom(seed: seed &+ UInt64(number) &* 1_000_003 &+ UInt64(attempt) &* 7_919 &+ (function == "visit" ? 1 : 0))
    let failure = Self.failures.randomElement(using: &random)!
    let success = Int.random(in: 0..<4, using: &random) == 0 ? Answer.slowReceipt : .receipt
    if function == "visit" { return number % 4 == 0 ? failure : success }
    var ofNumber = TestRandom(seed: seed &+ UInt64(number))
    let failuresBefore = Int.random(in: 0...2, using: &ofNumber)
    switch number % 5 {
    case 0: return attempt < failuresBefore ? failure : .notFound
    case 1: return failure
    default: return attempt < failuresBefore ? failure : success
    }
  }
}

final class PlannedPeer: Sendable {
  /// One request: its path, and what was given for it.
  struct Exchange: Hashable, Sendable {
    var path: String
    var receipt: String?
  }

  let plan: PeerPlan
  private let kept = Mutex<[Exchange]>([])

  init(_ plan: PeerPlan) { self.plan = plan }

  var exchanges: [Exchange] { kept.withLock { $0 } }

  @Sendable func answer(_ request: LoopbackServer.Received) -> LoopbackServer.Reply {
    let parts = request.path.split(separator: "/")
    guard parts.count == 3, let number = Int(parts[1]), let attempt = Int(parts[2]) else { return .status("400 Bad Request") }
    let answer = plan.answer(to: String(parts[0]), number, attempt: attempt)
    let receipt = kept.withLock { exchanges in
      // Of each request another one, so that an answer tells which it was for.
      let receipt = answer.succeeds ? "\(request.path)#\(exchanges.count)" : nil
      exchanges.append(Exchange(path: request.path, receipt: receipt))
      return receipt
    }
    let ok = LoopbackServer.Reply.ok("\"\(receipt ?? "")\"")
    switch answer {
    case .receipt: return ok
    case .slowReceipt: return .after(milliseconds: 100, ok)
    case .tooMany: return .status("429 Too Many Requests", "", ["retry-after: \(PeerPlan.retryAfterSeconds)"])
    case .broken: return .status("500 Internal Server Error", "out of order")
    case .notFound: return .status("404 Not Found")
    case .malformedBody: return .ok("{\"receipt\":")
    case .noHTTP: return .bytesThenClose("no HTTP\r\n\r\n")
    case .dropped: return .bytesThenClose("")
    case .cut: return .bytesThenClose("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n\"receipt")
    }
  }
}
