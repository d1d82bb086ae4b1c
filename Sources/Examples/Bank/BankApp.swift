import Martlet

/// A bank of accounts: the smallest app that has something to lose.
///
/// What it shows is a transfer. Two documents change together or not at all, no balance goes below zero, and the sum of
/// all balances stays the same whoever transfers at the same time. The functions say nothing of locks or retries.
public enum BankApp {
  public static var tables: [any Table.Type] { [Accounts.self] }
  public static var modules: [any FunctionModule.Type] { [Bank.self] }
}
