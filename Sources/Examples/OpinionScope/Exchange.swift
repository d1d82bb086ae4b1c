import Martlet

/// The exchange, as far as this app asks it: two lists, each `{"data":[…]}`.
///
/// An answer is a type, so what isn't of its shape is refused as a whole before anything of it is stored, and the error names the member:
/// `/openapi/market/list: data[3].volume: expected number, found string`. Members that the exchange adds are passed over.
struct Exchange {
  static let keyVariable = "OPINION_TRADE_API_KEY"
  static let addressVariable = "OPINION_TRADE_URL"

  private let ctx: ActionContext
  private let base: String
  private let key: String

  init(_ ctx: ActionContext) throws {
    self.ctx = ctx
    base = ctx.environment[Self.addressVariable] ?? "https://proxy.opinion.trade:8443"
    key = try ctx.environment.require(Self.keyVariable)
  }

  func markets() async throws -> [MarketListing] { try await list("/openapi/market/list") }

  func trades(of address: String) async throws -> [Trade] { try await list("/openapi/user/\(address)/trades") }

  private func list<Item: ExchangeItem>(_ path: String) async throws -> [Item] {
    let response = try await ctx.fetch(base + path, headers: ["x-api-key": key], timeout: .seconds(10)).requireSuccess()
    let items: [Item]
    do { items = try response.decode(as: Listing<Item>.self).data } catch { throw MalformedAnswer(path: path, problem: "\(error)") }
    for (index, item) in items.enumerated() {
      if let problem = item.problem { throw MalformedAnswer(path: path, problem: "data[\(index)].\(problem)") }
    }
    return items
  }

  private struct Listing<Item: ExchangeItem>: Decodable {
    var data: [Item]
  }
}

/// What the exchange lists.
protocol ExchangeItem: Decodable {
  /// What no type can say of a member: its name, what was expected and what was found.
  var problem: String? { get }
}

public struct MarketListing: ExchangeItem, Codable, Hashable, Sendable {
  public var marketId: String
  public var title: String
  public var labels: [String]?
  /// Left out until somebody has traded.
  public var yesPrice: Double?
  public var volume: Double
  public var volume24h: Double
  public var cutoffAt: Double

  var problem: String? {
    guard !marketId.isEmpty else { return "marketId: expected a text, found an empty one" }
    if let yesPrice, !(0...1).contains(yesPrice) { return "yesPrice: expected 0 to 1, found \(yesPrice)" }
    guard volume >= 0 else { return "volume: expected 0 or more, found \(volume)" }
    return volume24h >= 0 ? nil : "volume24h: expected 0 or more, found \(volume24h)"
  }
}

public struct Trade: ExchangeItem, Codable, Hashable, Sendable {
  public var tradeId: String
  public var marketId: String
  public var action: TradeAction
  public var amount: Double
  public var price: Double
  public var timestamp: Double

  var problem: String? {
    guard !tradeId.isEmpty else { return "tradeId: expected a text, found an empty one" }
    guard amount > 0 else { return "amount: expected more than 0, found \(amount)" }
    return (0...1).contains(price) ? nil : "price: expected 0 to 1, found \(price)"
  }
}

/// The exchange's answer isn't what it was agreed to be. Asking again at once would bring the same, and the next sync comes soon.
struct MalformedAnswer: RetryDecision, CustomStringConvertible {
  let path: String
  let problem: String
  var description: String { "\(path): \(problem)" }
  var isRetryable: Bool { false }
}
