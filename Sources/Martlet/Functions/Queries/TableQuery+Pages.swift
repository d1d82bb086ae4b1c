import MartletWire

extension TableQuery {
  /// A page of the query. A function may read as many pages as it likes, of one query or of several.
  ///
  /// Costs what reading the page's documents does: where it begins is found in O(log n). A live page keeps its end: see
  /// `PageJournal`.
  ///
  /// A cursor belongs to the query that gave it: the table, the index and its fields, the range and the order. With another
  /// one it is an error, `InvalidCursor`. Filters may differ.
  public func paginate(_ options: PaginationOptions) throws -> Page<Document<T>> {
    let reading = try transaction.page(try request(options)) { storage in
      let document = Document(storage: storage, schema: schema)
      for predicate in predicates where try !predicate(document) { return false }
      return true
    }
    return Page(
      items: reading.documents.map { Document(storage: $0, schema: schema) },
      continueCursor: reading.continueCursor, isDone: reading.isDone, status: reading.status, splitCursor: reading.splitCursor)
  }

  private func request(_ options: PaginationOptions) throws -> PageRequest {
    guard 1...PaginationOptions.mostItems ~= options.numItems else {
      throw WireError(
        .invalidArguments, "paginate: numItems: expected 1 to \(PaginationOptions.mostItems), found \(options.numItems)")
    }
    for (name, most) in [("maximumRowsRead", options.maximumRowsRead), ("maximumBytesRead", options.maximumBytesRead)] {
      guard most ?? 1 > 0 else { throw WireError(.invalidArguments, "paginate: \(name): expected 1 or more, found \(most!)") }
    }
    return PageRequest(
      range: range, items: options.numItems, cursor: options.cursor, endCursor: options.endCursor,
      mostRows: options.maximumRowsRead, mostBytes: options.maximumBytesRead)
  }
}
