import MartletValues
import Synchronization

/// The payment service and the mail service, as far as the store knows them: one process plays both, and remembers what was asked of it.
///
/// They answer as the real ones do. The payment service wants a key that it knows and an idempotency key; what it has answered under one it answers
/// again, and does nothing twice; the same key with other contents is an error. What goes wrong beside that is the test's to plan, for each request:
/// see `Fault`. Some faults come before anything is done, some after, so that the caller can't know.
final class StandIns: Sendable {
  enum Service: String, Sendable { case stripe, mail }

  enum Fault: String, Sendable, CaseIterable, Hashable {
    case none
    // Nothing is done.
    case tooManyRequests, serverError, noConnection, busy, unauthorized
    // All is done, and the answer is late, lost, cut in two, or nothing.
    case slow, silence, malformed, empty
  }

  struct WebRequest: Sendable {
    var path: String
    var headers: [String: String]
    var body: String
  }

  enum Answer: Sendable {
    case response(status: Int, headers: [String: String] = [:], body: String, isSlow: Bool = false)
    case silence
    case noConnection
  }

  struct Charge: Sendable, Equatable {
    var id: String
    var order: String
    var amount: Int
    var key: String
  }

  struct Letter: Sendable, Equatable {
    var key: String
    var to: [String]
    var subject: String
    var text: String
  }

  fileprivate struct State {
    var charges: [Charge] = []
    /// The charges that were given back.
    var refunds: [String] = []
    var declined = 0
    var letters: [Letter] = []
    /// What was answered under a key, and to what.
    var answers: [String: (body: String, status: Int, answer: String)] = [:]
    var counts: [String: Int] = [:]
    var faults: [Fault: Int] = [:]
    var replays = 0
    var unexpected: [String] = []
  }

  private let state = Mutex(State())
  private let plan: @Sendable (Service, WebRequest, Int) -> Fault

  /// - Parameter plan: what goes wrong with a request, by how many came under its key before.
  init(_ plan: @escaping @Sendable (Service, WebRequest, Int) -> Fault = { _, _, _ in .none }) { self.plan = plan }

  var charges: [Charge] { state.withLock { $0.charges } }
  var refunds: [String] { state.withLock { $0.refunds } }
  var declined: Int { state.withLock { $0.declined } }
  var letters: [Letter] { state.withLock { $0.letters } }
  var faults: [Fault: Int] { state.withLock { $0.faults } }
  /// How often an answer was given again.
  var replays: Int { state.withLock { $0.replays } }
  /// What no shop in its right mind sends.
  var unexpected: [String] { state.withLock { $0.unexpected } }

  func answer(_ request: WebRequest) -> Answer {
    let service: Service = request.path == "/emails" ? .mail : .stripe
    let key = request.headers["idempotency-key"] ?? ""
    let before = state.withLock { state in
      defer { state.counts["\(service) \(key)", default: 0] += 1 }
      return state.counts["\(service) \(key)", default: 0]
    }
    let fault = plan(service, request, before)
    return state.withLock { state in
      state.faults[fault, default: 0] += 1
      switch fault {
      case .noConnection: return .noConnection
      case .tooManyRequests:
        return .response(status: 429, headers: ["retry-after": "1"], body: #"{"error":{"type":"rate_limit","message":"Too many requests"}}"#)
      case .serverError: return .response(status: 500, body: "<html>Internal Server Error</html>")
      case .busy: return .response(status: 409, body: #"{"error":{"type":"idempotency_error","message":"in progress"}}"#)
      case .unauthorized: return .response(status: 401, body: #"{"error":{"message":"Invalid API Key provided"}}"#)
      case .none, .slow, .silence, .malformed, .empty: break
      }
      let (status, body) = state.carryOut(request, service, key)
      switch fault {
      case .silence: return .silence
      case .malformed: return .response(status: status, body: String(body.prefix(body.count / 2)))
      case .empty: return .response(status: status, body: "")
      default: return .response(status: status, headers: ["content-type": "application/json"], body: body, isSlow: fault == .slow)
      }
    }
  }
}

extension StandIns.State {
  fileprivate mutating func carryOut(_ request: StandIns.WebRequest, _ service: StandIns.Service, _ key: String) -> (Int, String) {
    guard request.headers["authorization"] == "Bearer \(service)-key" else {
      return (401, #"{"error":{"message":"Invalid API Key provided"}}"#)
    }
    guard !key.isEmpty else {
      unexpected.append("no idempotency key: \(request)")
      return (400, #"{"error":{"message":"no key"}}"#)
    }
    if let known = answers["\(service) \(key)"] {
      guard known.body == request.body else {
        unexpected.append("key \(key) with other contents")
        return (400, #"{"error":{"type":"idempotency_error","message":"Keys for idempotent requests can only be used with the same parameters"}}"#)
      }
      replays += 1
      return (known.status, known.answer)
    }
    let (status, answer) = service == .mail ? post(request, key) : request.path == "/v1/refunds" ? refund(request) : charge(request, key)
    if status < 300 || status == 402 { answers["\(service) \(key)"] = (request.body, status, answer) }
    return (status, answer)
  }

  private mutating func charge(_ request: StandIns.WebRequest, _ key: String) -> (Int, String) {
    let form = Self.form(request.body)
    guard request.path == "/v1/payment_intents", let amount = form["amount"].flatMap({ Int($0) }), amount > 0, form["currency"] == "usd",
      form["confirm"] == "true", let order = form["metadata[orderId]"], let method = form["payment_method"]
    else {
      unexpected.append("\(request)")
      return (400, #"{"error":{"type":"invalid_request_error","message":"Invalid request"}}"#)
    }
    if method.hasPrefix("pm_card_chargeDeclined") {
      declined += 1
      return (402, #"{"error":{"type":"card_error","code":"card_declined","message":"Your card was declined."}}"#)
    }
    let id = "pi_\(answers.count + 1)"
    if method == "pm_card_authenticationRequired" {
      declined += 1
      return (200, #"{"id":"\#(id)","object":"payment_intent","amount":\#(amount),"currency":"usd","status":"requires_action"}"#)
    }
    charges.append(.init(id: id, order: order, amount: amount, key: key))
    return (200, #"{"id":"\#(id)","object":"payment_intent","amount":\#(amount),"currency":"usd","status":"succeeded","metadata":{}}"#)
  }

  private mutating func refund(_ request: StandIns.WebRequest) -> (Int, String) {
    guard let id = Self.form(request.body)["payment_intent"], charges.contains(where: { $0.id == id }) else {
      unexpected.append("\(request)")
      return (404, #"{"error":{"type":"invalid_request_error","message":"No such payment_intent"}}"#)
    }
    guard !refunds.contains(id) else {
      unexpected.append("refunded twice: \(id)")
      return (400, #"{"error":{"code":"charge_already_refunded","message":"Charge has already been refunded."}}"#)
    }
    refunds.append(id)
    return (200, #"{"id":"re_\#(refunds.count)","object":"refund","status":"succeeded"}"#)
  }

  private mutating func post(_ request: StandIns.WebRequest, _ key: String) -> (Int, String) {
    guard case .object(let letter)? = try? Value(json: request.body), case .array(let to)? = letter["to"], case .string? = letter["from"],
      case .string(let subject)? = letter["subject"], case .string(let text)? = letter["text"], !to.isEmpty
    else {
      unexpected.append("\(request)")
      return (422, #"{"message":"Missing fields"}"#)
    }
    letters.append(.init(key: key, to: to.compactMap { if case .string(let address) = $0 { address } else { nil } }, subject: subject, text: text))
    return (200, #"{"id":"mail-\#(letters.count)"}"#)
  }

  /// A form's fields, unescaped.
  private static func form(_ body: String) -> [String: String] {
    func plain(_ text: Substring) -> String {
      var bytes: [UInt8] = []
      var rest = Array(text.utf8)[...]
      while let byte = rest.popFirst() {
        switch byte {
        case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
        case UInt8(ascii: "%"):
          bytes.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0)
          rest = rest.dropFirst(2)
        default: bytes.append(byte)
        }
      }
      return String(decoding: bytes, as: UTF8.self)
    }
    var fields: [String: String] = [:]
    for pair in body.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      fields[plain(parts[0])] = parts.count > 1 ? plain(parts[1]) : ""
    }
    return fields
  }
}
