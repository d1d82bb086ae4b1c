/// A server that holds accounts and moves money between them: what the workloads ask of Martlet and of its peer alike.
protocol Bank: Contender {
  /// Opens accounts 0 ..< count, each with the same balance. Called once.
  func open(count: Int, balance: Int) throws
  /// Moves 1 from account to account, as the plan says.
  func transfer(_ load: Load, plan: TransferPlan) throws -> LoadResult
  /// All accounts: how many, and the sum of their balances.
  func total() throws -> (count: Int, balance: Double)
  /// The balance of one account.
  func balance(of account: Int) throws -> Double
}

extension Reply {
  /// A transfer that was answered: done, refused for want of money (right, and counted), or gone wrong.
  @inline(__always)
  var outcomeOfTransfer: Outcome {
    if !isError { return .succeeded }
    return payload.contains("Insufficient funds") ? .refused : .failed
  }
}
