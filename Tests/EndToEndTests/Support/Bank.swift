import MartletValues

/// Requests to the bank.
enum Bank {
  static func transfer(_ from: String, _ to: String, _ amount: Double) -> Value {
    ["from": .string(from), "to": .string(to), "amount": .float64(amount)]
  }
}

extension RawClient {
  /// Opens an account and gives its id.
  func open(_ owner: String, _ balance: Double) throws -> String {
    let id = try mutate("accounts:open", ["owner": .string(owner), "balance": .float64(balance)])
    guard let text = id.text else { throw Failure("an id is a string, found \(id)") }
    return text
  }

  /// Opens accounts that all have one balance, and gives their ids.
  func openMany(_ count: Int, _ balance: Double) throws -> [String] {
    try mutate("accounts:openMany", ["count": .float64(Double(count)), "balance": .float64(balance)]).elements.compactMap(\.text)
  }

  func transfer(_ from: String, _ to: String, _ amount: Double) throws -> ServerMessage {
    try request("mutation", "accounts:transferFunds", Bank.transfer(from, to, amount))
  }

  func balance(_ account: String) throws -> Double {
    guard let balance = try query("accounts:get", ["id": .string(account)])["balance"]?.number else {
      throw Failure("account \(account) has no balance")
    }
    return balance
  }

  /// How many accounts there are, and what they hold together.
  func total() throws -> (count: Int, sum: Double) {
    let total = try query("accounts:total")
    guard let count = total["count"]?.number, let sum = total["total"]?.number else {
      throw Failure("accounts:total gave \(total)")
    }
    return (Int(count), sum)
  }
}
