import MartletWire

/// `ctx.crons` of a mutation: crons that come and go at run time, as a part of the transaction.
///
/// ```swift
/// try ctx.crons.register("reminder of \(user)", .daily(hour: 8, timeZone: "Europe/Berlin"), Reminders.send(user))
/// ```
public struct CronScheduler {
  let transaction: Transaction

  /// Adds a cron, or gives the one of this name another schedule, function and arguments. One that the app declares can't be changed.
  @discardableResult
  public func register<Result: WireValue>(_ name: String, _ schedule: Schedule, _ call: FunctionCall<Result>) throws -> ID<Crons> {
    try transaction.register(Cron(name, schedule, call), isDeclared: false)
  }

  /// Ends a cron that was registered at run time; a run that is under way goes on. False where there is none of this name.
  @discardableResult
  public func remove(_ name: String) throws -> Bool {
    guard let cron = try transaction.cron(name) else { return false }
    guard !cron.isDeclared else {
      throw ApplicationError("cron \"\(name)\" is declared by the app; take it out of its crons")
    }
    try transaction.remove(cron)
    return true
  }

  /// All crons, declared ones too, by their names.
  public func list() throws -> [Document<Crons>] {
    try DatabaseReader(transaction: transaction).query(Crons.self).withIndex(\.byName).collect()
  }
}
