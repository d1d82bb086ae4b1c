import Martlet
import MartletClient
import MartletTesting
import Synchronization

@testable import OpinionScopeExample

/// The example on a virtual clock, with the exchange that stands in.
struct Scope {
  let server: MartletTestServer
  let exchange: StandInExchange
  /// May call what is internal.
  let admin: MartletClient

  static let start = 1_795_004_800_000.0
  static let key = "key-0123456789"

  static var app: AppDefinition {
    AppDefinition(
      tables: OpinionScopeApp.tables, modules: OpinionScopeApp.modules, crons: OpinionScopeApp.crons, tokens: TierTokens(),
      requiredEnvironment: OpinionScopeApp.requiredEnvironment)
  }

  /// - Parameter withCrons: without them a test says itself what runs.
  init(_ plan: StandInExchange.Plan = .init(), withCrons: Bool = false, seed: UInt64 = 1) async throws {
    let exchange = StandInExchange(plan)
    let clock = Clock()
    var app = Self.app
    if !withCrons { app.crons = [] }
    let server = try MartletTestServer(
      app, adminKey: "admin", environment: [Exchange.keyVariable: Self.key, Exchange.addressVariable: "https://exchange.test"],
      fetch: { exchange.reply(to: $0, now: clock.now) }, startingAt: Self.start, seed: seed)
    clock.server.withLock { $0 = server }
    self.server = server
    self.exchange = exchange
    admin = try await server.client(token: "admin")
  }

  /// The server's time, for the exchange, which is there before the server.
  private final class Clock: Sendable {
    let server = Mutex<MartletTestServer?>(nil)
    var now: Double { server.withLock { $0 }?.now ?? Scope.start }
  }

  func track(_ count: Int) async throws {
    for number in 1...count { try await admin.run(WhaleFunctions.track(StandInExchange.address(number), "whale \(number)")) }
  }

  /// The newest sync.
  var lastSync: Document<SyncLogs>? { get async throws { try await admin.run(SyncFunctions.recent(1)).first } }

  func syncs(_ type: SyncType? = nil) async throws -> [Document<SyncLogs>] {
    try await admin.run(SyncFunctions.recent(100_000)).filter { type == nil || $0.type == type }
  }

  /// All documents of a table, oldest first.
  func documents(_ table: String) async throws -> [Value] {
    var found: [Value] = []
    var cursor: Value?
    while true {
      var arguments: ObjectValue = ["table": .string(table), "limit": 1_000]
      if let cursor { arguments["cursor"] = cursor }
      let page = try await admin.query("_system:documents", .object(arguments))
      if case .array(let items)? = page["page"] { found += items }
      if page["isDone"] == true { return found }
      cursor = page["continueCursor"]
    }
  }
}

/// Whoever comes with a tier's name has that tier.
struct TierTokens: TokenVerifier {
  func verify(_ token: String) throws -> VerifiedToken {
    VerifiedToken(Identity(subject: token, claims: ["tier": .string(token)]))
  }
}
