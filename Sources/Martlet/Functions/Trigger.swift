/// Code that runs inside the transaction of every write to a table, right after it, whoever writes: a mutation of the app's,
/// another trigger, `_system:insert`, an import.
///
/// ```swift
/// Trigger.onChange(of: Votes.self) { ctx, change in
///   guard let song = (change.new ?? change.old)?.song else { return }
///   let difference = (change.new == nil ? 0 : 1) - (change.old == nil ? 0 : 1)
///   try ctx.db.patch(song) { $0.votes += Double(difference) }
/// }
/// ```
///
/// What a trigger writes commits with the write that it follows, or not at all. One that throws takes that write back, and the
/// write throws its error. Its reads and writes count towards the limits of the function that it runs in. A trigger may write
/// to its own table, and runs again for that; calls nest 64 deep at most. A table's triggers run in the order of their listing.
///
/// Triggers see writes, not states: they don't run for documents that are there when a trigger is added.
public struct Trigger: Sendable {
  let table: ObjectIdentifier
  let tableName: String
  let run: @Sendable (Transaction, DocumentWrite) throws -> Void

  /// - Parameter handler: gets the document before and after the write. It must be deterministic, as every handler.
  public static func onChange<T: Table>(
    of table: T.Type, _ handler: @escaping @Sendable (MutationContext, Change<T>) throws -> Void
  ) -> Trigger {
    Trigger(table: ObjectIdentifier(table), tableName: T.name) { transaction, write in
      let schema = TableSchema.of(T.self)
      let change = Change<T>(
        id: ID(write.id), old: write.old.map { Document(storage: $0, schema: schema) },
        new: write.new.map { Document(storage: $0, schema: schema) })
      try handler(MutationContext(transaction: transaction), change)
    }
  }
}

/// One write to a table: an insert has no `old`, a delete no `new`.
public struct Change<T: Table>: Sendable {
  public let id: ID<T>
  public let old: Document<T>?
  public let new: Document<T>?
}
