import Martlet
import MartletClient
import MartletTesting
import StoreExample

/// The store on a clock that stands still, with its stand-ins.
struct TestStore {
  let server: MartletTestServer
  let standIns: StandIns
  let admin: MartletClient

  static let keys = ["STRIPE_SECRET_KEY": "stripe-key", "RESEND_API_KEY": "mail-key"]

  init(_ standIns: StandIns = StandIns(), environment: [String: String] = keys, startingAt: Double = midnight, seed: UInt64 = 1) async throws {
    self.standIns = standIns
    server = try MartletTestServer(
      schema: StoreApp.tables, functions: StoreApp.modules, triggers: StoreApp.triggers, crons: StoreApp.crons, pools: StoreApp.pools,
      workpools: StoreApp.workpools, tokens: StoreApp.tokens, adminKey: "admin", environment: environment,
      fetch: { standIns.reply(to: $0) }, startingAt: startingAt, seed: seed)
    admin = try await server.client(token: "admin")
  }

  /// The beginning of a day.
  static let midnight = 20_775 * 86_400_000.0

  func add(_ name: String, price: Double = 1_000, stock: Int = 10, category: String = "c") async throws -> String {
    try await admin.run(ProductFunctions.add(name, "", price, stock, category, nil, nil)).description
  }

  /// A customer who has signed in.
  func customer(_ name: String, hours: Double = 100) async throws -> MartletClient {
    let email = "\(name)@example.com"
    try await admin.run(UserFunctions.register(name, email))
    return try await server.client(token: try await admin.run(SessionFunctions.open(email, hours)))
  }

  /// All documents of a table, oldest first.
  func documents(_ table: String) async throws -> [Value] {
    var found: [Value] = []
    var cursor = Value.null
    while true {
      var arguments: ObjectValue = ["table": .string(table), "limit": 1_000]
      if cursor != .null { arguments["cursor"] = cursor }
      let page = try await admin.query("_system:documents", .object(arguments))
      guard case .array(let documents)? = page["page"], let next = page["continueCursor"] else { return found }
      found += documents
      if page["isDone"] == true { return found }
      cursor = next
    }
  }

  func stock(_ product: String) async throws -> Int? {
    try await admin.run(ProductFunctions.list(nil, 1_000, true)).first { $0.id.description == product }?.stock
  }
}

extension StandIns {
  func reply(to request: Request) -> MartletTestServer.FetchReply {
    let headers = Dictionary(request.headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first }
    let path = request.url.replacing(#/^https://[^/]*/#, with: "")
    switch answer(WebRequest(path: path, headers: headers, body: String(decoding: request.body, as: UTF8.self))) {
    case .response(let status, let headers, let body, let isSlow):
      var fields: Headers = [:]
      for (name, value) in headers { fields.add(name, value) }
      return .response(Response(status: status, headers: fields, body: Array(body.utf8)), after: isSlow ? .seconds(8) : .milliseconds(120))
    case .silence: return .silence
    case .noConnection: return .failure(.network("connection refused"), after: .milliseconds(5))
    }
  }
}

extension Value {
  subscript(name: String) -> Value? {
    guard case .object(let fields) = self else { return nil }
    return fields[name]
  }

  var text: String? { if case .string(let text) = self { text } else { nil } }
  var number: Double? { if case .float64(let number) = self { number } else { nil } }
}
