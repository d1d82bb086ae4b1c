/// Which page of a query a client asks for. As an argument: `Arg("page", .pagination)`, on the wire
/// `{"numItems":10,"cursor":null}`.
public struct PaginationOptions: Sendable, Hashable {
  /// How many documents at most: 1 to 32,000.
  public var numItems: Int
  /// Where the page begins: `continueCursor` of the page before; nil for the first one.
  public var cursor: String?
  /// Where the page ends, if that is decided: all documents up to there, whatever their number.
  public var endCursor: String?
  /// How many documents the page may pass, those that a filter leaves out included. It is cut short there.
  public var maximumRowsRead: Int?
  /// How many bytes of JSON the documents that it passes may have. It is cut short with the document that reaches it.
  public var maximumBytesRead: Int?
  /// Means nothing here: Convex's clients tell their caches' entries apart by it.
  public var id: Value?

  public init(
    numItems: Int, cursor: String? = nil, endCursor: String? = nil, maximumRowsRead: Int? = nil,
    maximumBytesRead: Int? = nil, id: Value? = nil
  ) {
    self.numItems = numItems
    self.cursor = cursor
    self.endCursor = endCursor
    self.maximumRowsRead = maximumRowsRead
    self.maximumBytesRead = maximumBytesRead
    self.id = id
  }

  /// The most documents that one page may be asked for.
  public static let mostItems = 32_000
}

extension Validator where T == PaginationOptions {
  public static var pagination: Validator {
    .object(
      Property("numItems", \PaginationOptions.numItems, .wholeNumber),
      Property("cursor", \PaginationOptions.cursor, .optional(.string)),
      Property("endCursor", \PaginationOptions.endCursor, .optional(.string)),
      Property("maximumRowsRead", \PaginationOptions.maximumRowsRead, .optional(.wholeNumber)),
      Property("maximumBytesRead", \PaginationOptions.maximumBytesRead, .optional(.wholeNumber)),
      Property("id", \PaginationOptions.id, .optional(.any))
    ) { numItems, cursor, endCursor, maximumRowsRead, maximumBytesRead, id in
      PaginationOptions(
        numItems: numItems, cursor: cursor, endCursor: endCursor, maximumRowsRead: maximumRowsRead,
        maximumBytesRead: maximumBytesRead, id: id)
    }
  }
}
