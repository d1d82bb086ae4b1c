/// Which document, in which table.
///
/// 128 bits that nobody can guess, with the number of the document's table in front, so that an id alone says where to look. Order and equality are by
/// table, then by the 128 bits; ids of one table have texts that sort the same way.
public struct DocumentID: Hashable, Sendable {
  /// Never 0 in an id that was read from text.
  public let tableNumber: UInt32
  public let high: UInt64
  public let low: UInt64

  @inlinable
  public init(tableNumber: UInt32, high: UInt64, low: UInt64) {
    self.tableNumber = tableNumber
    self.high = high
    self.low = low
  }
}

extension DocumentID: Comparable {
  @inlinable
  public static func < (left: DocumentID, right: DocumentID) -> Bool {
    if left.high != right.high && left.tableNumber == right.tableNumber { return left.high < right.high }
    if left.tableNumber != right.tableNumber { return left.tableNumber < right.tableNumber }
    return left.low < right.low
  }
}
