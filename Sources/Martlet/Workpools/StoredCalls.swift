/// A document that holds a call which was to be run: a job, a run of the retrier, a piece of a workpool.
public protocol StoredCall: Table {
  /// The call's arguments, by their names.
  var args: Field<Value> { get }
}

extension WorkItems: StoredCall {}
extension RetryRuns: StoredCall {}
extension ScheduledFunctions: StoredCall {}

extension Document where T: StoredCall {
  /// One of the arguments that the call was stored with, as the type that its function takes: what it was about, for an `onComplete`, which is
  /// told the work's id and how it ended.
  ///
  /// ```swift
  /// let order = try ctx.db.get(work).argument("order", as: ID<Orders>.self)
  /// ```
  ///
  /// - Throws: `ValidationError`, where it is of another type, or isn't there.
  public func argument<A: WireValue>(_ name: String, as type: A.Type = A.self) throws -> A {
    guard case .object(let arguments) = self[dynamicMember: \.args], let value = arguments[name] else {
      throw ValidationError(path: [.field(name)], expected: "an argument", found: "none")
    }
    return try value.decode(as: type)
  }
}
