import MartletClient
import MartletCommands

// Examples of docs/functions.md: who calls.

struct Purchases: Table {
  static let name = "purchases"
  let buyer = Field(.string)
  let item = Field(.string)
  let byBuyer = Index("by_buyer", \Purchases.buyer)
}

enum Shop: FunctionModule {
  static let path = "shop"
  static let functions: [any ServerFunction] = [buy, getMyPurchases]

  static let buy = Mutation("buy", Arg("item", .string)) { ctx, item in
    guard let user = ctx.identity.subject else { throw ApplicationError("sign in first") }
    return try ctx.db.insert(Purchases.self) {
      $0.buyer = user
      $0.item = item
    }
  }

  static let getMyPurchases = Query("getMyPurchases") { ctx in
    guard let user = ctx.identity.subject else { throw ApplicationError("sign in first") }
    return try ctx.db.query(Purchases.self).withIndex(\.byBuyer) { $0.eq(\.buyer, user) }.order(.descending).take(20)
  }
}

/// Tokens `<user>.<end>.<signature>`, as this app's sign-in page gives them out.
struct Tickets: TokenVerifier {
  let signature: @Sendable (_ text: String) -> String

  func verify(_ token: String) throws -> VerifiedToken {
    let parts = token.split(separator: ".").map(String.init)
    guard parts.count == 3, let end = Double(parts[1]), signature("\(parts[0]).\(parts[1])") == parts[2] else {
      throw TokenRefusal("it is not one of ours")
    }
    return VerifiedToken(Identity(subject: parts[0], issuer: "shop"), expiresAt: end)
  }
}

func shopMain(_ tickets: Tickets) async {
  await MartletApp(schema: [Purchases.self], functions: [Shop.self], tokens: tickets, name: "shop").main()
}

func shopClient(_ port: Int, _ freshToken: @escaping @Sendable () async throws -> String) async throws -> MartletClient {
  var configuration = ClientConfiguration(port: port)
  configuration.tokenProvider = { try await freshToken() }
  return try await MartletClient.connect(configuration)
}
