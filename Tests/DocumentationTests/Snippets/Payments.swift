import MartletCommands

// More examples of docs/functions.md: actions and the world.

enum Payments: FunctionModule {
  static let path = "payments"
  static let functions: [any ServerFunction] = [charge]

  struct Charge: Codable {
    var id: String
    var amount: Double
  }

  static let charge = Action(
    "charge", Arg("customer", .string), Arg("amount", .double), pool: "payments"
  ) { ctx, customer, amount in
    let key = try ctx.environment.require("PAYMENTS_KEY")
    let response = try await ctx.fetch(
      "https://api.example.com/charges", headers: ["authorization": "Bearer \(key)"],
      json: ["customer": .string(customer), "amount": .float64(amount)], timeout: .seconds(10))
    let charge = try response.requireSuccess().decode(as: Charge.self)
    ctx.log.info("charged \(charge.amount) to \(customer)")
    return charge.id
  }
}

enum StockError: RetryDecision {
  case busy, soldOut

  var isRetryable: Bool { self == .busy }
}

func paymentsMain() async {
  await MartletApp(schema: [], functions: [Payments.self], pools: ["payments": 4], name: "shop").main()
}

func internalMain() async {
  var rules = FetchRules()
  rules.allowedHosts = ["*.internal"]
  await MartletApp(schema: [], functions: [Payments.self], pools: ["payments": 4], fetch: rules, name: "shop").main()
}
