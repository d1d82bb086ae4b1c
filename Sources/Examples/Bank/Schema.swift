import Martlet

public struct Accounts: Table {
  public static let name = "accounts"

  public let owner = Field(.string)
  /// In minor units (cents), so that sums of whole numbers stay exact. Never negative.
  public let balance = Field(.double)

  public let byOwner = Index("by_owner", \Accounts.owner)
  /// Adds the balances up as it orders them: `Bank.total` needs no scan.
  public let byBalance = Index("by_balance", \Accounts.balance, summing: \Accounts.balance)

  public init() {}
}
