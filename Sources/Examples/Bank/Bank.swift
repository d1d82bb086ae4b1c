import Martlet

public enum Bank: FunctionModule {
  public static let path = "accounts"
  public static let functions: [any ServerFunction] = [
    open, openMany, get, byOwner, transferFunds, payInInstalments, total, totalBetween, richest,
  ]

  // MARK: Opening

  public static let open = Mutation(
    "open", Arg("owner", .string), Arg("balance", .double)
  ) { ctx, owner, balance in
    try checkOpening(balance)
    return try ctx.db.insert(Accounts.self) {
      $0.owner = owner
      $0.balance = balance
    }
  }

  /// Opens accounts for `owner-1`, `owner-2` and so on, all with one balance, and answers their ids in that order.
  public static let openMany = Mutation(
    "openMany", Arg("count", .wholeNumber), Arg("balance", .double)
  ) { ctx, count, balance in
    guard count >= 0, count <= mostAccountsAtOnce else {
      throw ApplicationError("count must be between 0 and \(mostAccountsAtOnce): call openMany again for more")
    }
    try checkOpening(balance)
    return try (0..<count).map { index in
      try ctx.db.insert(Accounts.self) {
        $0.owner = "owner-\(index + 1)"
        $0.balance = balance
      }
    }
  }

  /// As many documents as one transaction may write.
  private static let mostAccountsAtOnce = Limits().documentsWritten

  /// A `Double` counts every whole number up to here; beyond, a cent more or less could get lost.
  private static let largestOpeningBalance = 9_007_199_254_740_992.0

  private static func checkOpening(_ balance: Double) throws {
    // NaN and the infinities are in no range.
    guard (0...largestOpeningBalance).contains(balance) else {
      throw ApplicationError("balance must be between 0 and 2^53")
    }
  }

  // MARK: Reading

  public static let get = Query("get", Arg("id", .id(Accounts.self))) { ctx, id in
    try ctx.db.get(id)
  }

  public static let byOwner = Query("byOwner", Arg("owner", .string)) { ctx, owner in
    try ctx.db.query(Accounts.self).withIndex(\.byOwner) { $0.eq(\.owner, owner) }.collect()
  }

  /// How many accounts there are, and what they hold together. O(log n): a live dashboard can watch it.
  public static let total = Query("total") { ctx in
    let accounts = try ctx.db.query(Accounts.self).withIndex(\.byBalance)
    return Total(count: try accounts.count(), total: try accounts.sum(\.balance))
  }

  /// The same of the accounts whose balance is in a range. Live, it runs again only when something in that range changes.
  public static let totalBetween = Query(
    "totalBetween", Arg("atLeast", .double), Arg("below", .double)
  ) { ctx, atLeast, below in
    let accounts = try ctx.db.query(Accounts.self).withIndex(\.byBalance) { $0.gte(\.balance, atLeast).lt(\.balance, below) }
    return Total(count: try accounts.count(), total: try accounts.sum(\.balance))
  }

  public static let richest = Query("richest", Arg("limit", .wholeNumber)) { ctx, limit in
    try ctx.db.query(Accounts.self).withIndex(\.byBalance).order(.descending).take(limit)
  }

  // MARK: Transferring

  public static let transferFunds = Mutation(
    "transferFunds", Arg("from", .id(Accounts.self)), Arg("to", .id(Accounts.self)), Arg("amount", .double)
  ) { ctx, from, to, amount in
    guard amount > 0, amount.isFinite else { throw ApplicationError("amount must be more than 0, and finite") }
    let source = try ctx.db.get(from)
    guard source.balance >= amount else { throw ApplicationError("Insufficient funds") }
    // To take and give back the same amount could round a fraction away.
    guard from != to else { return }
    try ctx.db.patch(from) { $0.balance -= amount }
    try ctx.db.patch(to) { $0.balance += amount }
  }

  /// Schedules equal transfers at equal intervals, the first after `afterMs`. One for which the funds don't suffice then fails alone.
  public static let payInInstalments = Mutation(
    "payInInstalments", Arg("from", .id(Accounts.self)), Arg("to", .id(Accounts.self)), Arg("amount", .double),
    Arg("count", .wholeNumber), Arg("everyMs", .double), Arg("afterMs", .double, default: 0)
  ) { ctx, from, to, amount, count, everyMs, afterMs in
    guard count >= 1, count <= mostAccountsAtOnce else {
      throw ApplicationError("count must be between 1 and \(mostAccountsAtOnce)")
    }
    for number in 0..<count {
      try ctx.scheduler.run(at: ctx.now + afterMs + Double(number) * everyMs, transferFunds(from, to, amount))
    }
  }
}

/// The answer of `accounts:total`.
public struct Total: ValidatedValue {
  public let count: Int
  /// In minor units.
  public let total: Double

  public static let validator = Validator<Total>.object(
    Property("count", \Total.count, .wholeNumber), Property("total", \Total.total, .double)
  ) {
    Total(count: $0, total: $1)
  }
}
