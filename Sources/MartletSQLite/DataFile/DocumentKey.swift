import MartletValues

/// A document's id as the key of a row: 20 bytes whose order is that of ids.
enum DocumentKey {
  static let byteCount = 20

  static func withBytes<Result>(of id: DocumentID, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: 8) { key in
      key.storeBytes(of: id.tableNumber.bigEndian, toByteOffset: 0, as: UInt32.self)
      key.storeBytes(of: id.high.bigEndian, toByteOffset: 4, as: UInt64.self)
      key.storeBytes(of: id.low.bigEndian, toByteOffset: 12, as: UInt64.self)
      return try body(UnsafeRawBufferPointer(key))
    }
  }

  static func decode(_ bytes: UnsafeRawBufferPointer) -> DocumentID? {
    guard bytes.count == byteCount else { return nil }
    return DocumentID(
      tableNumber: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self)),
      high: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt64.self)),
      low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 12, as: UInt64.self)))
  }
}
