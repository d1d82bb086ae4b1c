import Martlet
import MartletTesting
import MartletValues
import Synchronization
import TestServers

/// Stands in for the exchange: what it lists, as of a time, and what goes wrong when it is asked.
///
/// What goes wrong follows from the path and from how often that was asked, and not from who asks first: so a run on the virtual clock is the same
/// each time.
final class StandInExchange: Sendable {
  enum Mishap: Hashable, CaseIterable, Sendable {
    /// Answers, but late.
    case slow
    /// Says nothing until the request's time is over.
    case silent
    case unreachable
    /// 429, with `Retry-After`.
    case tooMany
    case broken
    case notFound
    /// JSON of another shape.
    case malformed
    /// A body of no bytes.
    case empty
  }

  struct Asked: Sendable {
    var path: String
    var time: Double
    var mishap: Mishap?
    var key: String?
  }

  struct Plan: Sendable {
    var markets: @Sendable (_ now: Double) -> [Value] = { _ in [] }
    var trades: @Sendable (_ address: String, _ now: Double) -> [Value] = { _, _ in [] }
    /// - Parameter count: how often the path was asked before.
    var mishap: @Sendable (_ path: String, _ count: Int, _ now: Double) -> Mishap? = { _, _, _ in nil }
    var retryAfterSeconds = 7
    var slowSeconds = 3
    /// What stands in the place of a malformed answer.
    var malformed = #"{"data":[]}"#
  }

  private let plan: Mutex<Plan>
  private let log = Mutex<[Asked]>([])
  private let counts = Mutex<[String: Int]>([:])

  init(_ plan: Plan = Plan()) { self.plan = Mutex(plan) }

  var asked: [Asked] { log.withLock { $0 } }
  func change(_ body: @Sendable (inout Plan) -> Void) { plan.withLock { body(&$0) } }

  /// The path alone, of `/…` or of a whole URL.
  private func answer(_ path: String, key: String?, now: Double) -> (mishap: Mishap?, body: String, plan: Plan) {
    let plan = plan.withLock { $0 }
    let count = counts.withLock { counts in
      counts[path, default: 0] += 1
      return counts[path]! - 1
    }
    let mishap = plan.mishap(path, count, now)
    log.withLock { $0.append(Asked(path: path, time: now, mishap: mishap, key: key)) }
    let parts = path.split(separator: "/").map(String.init)
    let items = path.hasSuffix("/market/list") ? plan.markets(now) : plan.trades(parts[parts.count - 2], now)
    return (mishap, Value.object(["data": .array(items), "code": 0]).json, plan)
  }

  // MARK: On the virtual clock

  func reply(to request: Request, now: Double) -> MartletTestServer.FetchReply {
    let path = "/" + request.url.split(separator: "/", omittingEmptySubsequences: true).dropFirst(2).joined(separator: "/")
    let (mishap, body, plan) = answer(path, key: request.headers["x-api-key"], now: now)
    func response(_ status: Int, _ body: String = "", _ headers: Headers = [:]) -> Response {
      Response(status: status, headers: headers, body: Array(body.utf8), url: request.url)
    }
    switch mishap {
    case nil: return .response(response(200, body))
    case .slow: return .response(response(200, body), after: .seconds(plan.slowSeconds))
    case .silent: return .silence
    case .unreachable: return .failure(.network("connection refused"))
    case .tooMany: return .response(response(429, "slow down", ["retry-after": "\(plan.retryAfterSeconds)"]))
    case .broken: return .response(response(500, "oops"))
    case .notFound: return .response(response(404, "no such wallet"))
    case .malformed: return .response(response(200, plan.malformed))
    case .empty: return .response(response(200))
    }
  }

  // MARK: On a socket

  func reply(to request: LoopbackServer.Received) -> LoopbackServer.Reply {
    let (mishap, body, plan) = answer(request.path, key: request.header("x-api-key"), now: 0)
    switch mishap {
    case nil: return .ok(body)
    case .slow: return .after(milliseconds: 200, .ok(body))
    case .silent: return .hang()
    case .unreachable: return .bytesThenClose("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{")
    case .tooMany: return .status("429 Too Many Requests", "slow down", ["retry-after: \(plan.retryAfterSeconds)"])
    case .broken: return .status("500 Internal Server Error", "oops")
    case .notFound: return .status("404 Not Found", "no such wallet")
    case .malformed: return .ok(plan.malformed)
    case .empty: return .ok("")
    }
  }
}

extension StandInExchange {
  static func market(_ id: String, volume24h: Double, yesPrice: Double? = nil, label: String? = "sports", cutoffAt: Double = 4e12) -> Value {
    var members: ObjectValue = [
      "marketId": .string(id), "title": .string("Will \(id) happen?"), "volume": .float64(volume24h * 10), "volume24h": .float64(volume24h),
      "cutoffAt": .float64(cutoffAt), "status": "active",
    ]
    if let yesPrice { members["yesPrice"] = .float64(yesPrice) }
    if let label { members["labels"] = [.string(label)] }
    return .object(members)
  }

  static func trade(_ id: String, market: String, at time: Double, amount: Double = 100, price: Double = 0.5) -> Value {
    [
      "tradeId": .string(id), "marketId": .string(market), "action": "BUY", "amount": .float64(amount), "price": .float64(price),
      "timestamp": .float64(time), "fee": 0,
    ]
  }

  static func address(_ number: Int) -> String {
    let digits = String(number, radix: 16)
    return "0x" + String(repeating: "0", count: 40 - digits.count) + digits
  }
}
