import MartletTesting
import MartletValues

@testable import Martlet

/// People with badges: `badge:ada`, `badge:ada:60` for one that ends 60 s after the clock's beginning, `badge:ada::red` with a claim.
struct Badges: TokenVerifier {
  struct Broken: Error {
    let token: String
  }

  func verify(_ token: String) throws -> VerifiedToken {
    let parts = token.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    switch parts[0] {
    case "badge":
      let claims: ObjectValue = parts.count > 3 ? ["color": .string(parts[3])] : [:]
      let end = parts.count > 2 ? Double(parts[2]).map { SimulatedClock.epochMilliseconds + $0 * 1_000 } : nil
      return VerifiedToken(Identity(subject: parts[1], email: "\(parts[1])@example.com", claims: claims), expiresAt: end)
    case "boss": return VerifiedToken(Identity(isAdmin: true, subject: "boss"))
    case "broken": throw Broken(token: token)
    default: throw TokenRefusal("there is no badge \(token)")
    }
  }
}

enum Private: FunctionModule {
  static let path = "private"
  static let functions: [any ServerFunction] = [mine, whoami, noteLater, note, relay, secret]

  /// Runs of `mine` differ by caller: each has a counter of its own.
  static let mine = Query("mine") { ctx in
    guard let user = ctx.identity.subject else { throw ApplicationError("sign in first") }
    return try CounterFunctions.find(ctx.db, user)?.amount
  }

  static let whoami = Query("whoami") { ctx in
    "\(ctx.identity.subject ?? "nobody") \(ctx.identity.email ?? "-") \(ctx.identity.claims)"
  }

  static let note = Mutation("note", visibility: .internal) { ctx in try CounterFunctions.add(ctx.db, ctx.identity.subject ?? "nobody", 1) }
  static let noteLater = Mutation("noteLater") { ctx in try ctx.scheduler.run(after: .zero, note()) }
  static let relay = Action("relay") { ctx in try await ctx.run(whoami()) }
  static let secret = Query("secret", visibility: .internal) { _ in "secret" }
}

extension EngineHarness {
  static func badges(_ counters: KeyValuePairs<String, Double> = [:], adminKey: String? = nil, tokens: (any TokenVerifier)? = Badges()) throws -> EngineHarness {
    var configuration = EngineConfiguration()
    configuration.adminKey = adminKey
    configuration.tokens = tokens
    let server = try EngineHarness(tables: [Counters.self], modules: [CounterFunctions.self, Private.self], configuration: configuration)
    let client = server.connect()
    for (name, value) in counters {
      client.send(#"mutation \#(name) counters:set {"name":"\#(name)","value":\#(value)}"#)
      server.settle()
    }
    client.disconnect()
    return server
  }
}
