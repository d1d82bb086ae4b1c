/// A transaction over lists: it reads lists whole, and appends elements to them. No element is appended twice to a key, so each
/// read tells which writes it saw, and in which order they happened.
package struct ListTransaction: Sendable {
  package enum Operation: Hashable, Sendable {
    case append(key: Int, element: Int)
    case read(key: Int, elements: [Int])
  }

  package var operations: [Operation]
  package var outcome: Outcome
  /// The client: it sends one transaction after another.
  package var process: Int
  /// When it was sent and answered, as places in the driver's order of events.
  package var invoked: Int
  package var completed: Int

  /// - Parameter operations: of one that was not committed, its appends: what it read is not known.
  package init(_ operations: [Operation], _ outcome: Outcome = .committed, process: Int = 0, invoked: Int = 0, completed: Int = .max) {
    self.operations = operations
    self.outcome = outcome
    self.process = process
    self.invoked = invoked
    self.completed = completed
  }
}
