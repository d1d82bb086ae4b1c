/// A query without its first documents.
///
/// Every index counts, so that skipping a thousand documents costs what skipping one does, O(log n); with a filter they are
/// passed one by one. What is skipped belongs to what was read: a document that enters or leaves there moves the others.
///
/// A type of its own, since a page is found by its cursor: `paginate` has no use for an offset.
public struct OffsetQuery<T: Table> {
  let query: TableQuery<T>
  let offset: Int

  public func collect() throws -> [Document<T>] { try query.read(offset: offset, limit: .max) }

  /// The first `count` documents after those that are skipped, or fewer if there are fewer.
  public func take(_ count: Int) throws -> [Document<T>] {
    try query.read(offset: offset, limit: TableQuery<T>.checked(count, "take"))
  }

  public func first() throws -> Document<T>? { try query.read(offset: offset, limit: 1).first }
}

extension TableQuery {
  /// Leaves the first `count` documents out, in the query's order and after its filters.
  ///
  /// ```swift
  /// try ctx.db.query(Players.self).withIndex(\.byScore).order(.descending).offset(20).take(10)
  /// ```
  public func offset(_ count: Int) throws -> OffsetQuery<T> {
    OffsetQuery(query: self, offset: try Self.checked(count, "offset"))
  }
}
