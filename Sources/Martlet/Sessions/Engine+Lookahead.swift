import Glibc
import MartletWire

/// Looking ahead at what several requests that came together will read.
///
/// With more documents than the processor's cache holds, a short transaction mostly waits for memory: for the leaf that a
/// document's id leads to, then for the document. The processor can wait for many addresses at once, but not within one
/// transaction, where each step needs the one before. So before requests that came together are run, the documents that they
/// name are asked for: see `OrderedTree.prefetch`.
///
/// It is a guess, and may be wrong in any way: nothing depends on it but time (docs/performance.md).
extension Engine {
  /// Less than two requests with an id have nothing to wait for at once.
  private static let leastBytesToLookAhead = 256
  /// Some 64 requests: what they name takes about a tenth of the processor's own cache.
  static let bytesToLookAhead = 8 * 1_024

  /// Finds the ids in requests, and has the processor fetch their documents.
  func lookAhead(in requests: UnsafeRawBufferPointer) {
    guard requests.count >= Self.leastBytesToLookAhead else { return }
    withUnsafeTemporaryAllocation(of: DocumentID.self, capacity: Self.mostIDs) { ids in
      var count = 0
      Self.forEachID(in: requests) { id in
        ids.initializeElement(at: count, to: id)
        count += 1
        guard count == Self.mostIDs else { return }
        prefetch(UnsafeBufferPointer(rebasing: ids[..<count]))
        count = 0
      }
      if count > 0 { prefetch(UnsafeBufferPointer(rebasing: ids[..<count])) }
    }
  }

  /// What is fetched at a time must still be in the cache when it is used.
  private static let mostIDs = 128

  /// What stands between two quotation marks, and has the length and the checksum of an id.
  private static func forEachID(in bytes: UnsafeRawBufferPointer, _ body: (DocumentID) -> Void) {
    guard let base = bytes.baseAddress else { return }
    var start: Int?
    var position = 0
    while position < bytes.count, let found = memchr(base + position, Int32(UInt8(ascii: "\"")), bytes.count - position) {
      let quote = UnsafeRawPointer(found) - base
      if let start, DocumentID.textLengths.contains(quote - start),
        let id = DocumentID(utf8: UnsafeRawBufferPointer(start: base + start, count: quote - start))
      {
        body(id)
      }
      start = quote + 1
      position = quote + 1
    }
  }

  private func prefetch(_ ids: UnsafeBufferPointer<DocumentID>) {
    var start = 0
    while start < ids.count {
      let number = ids[start].tableNumber
      let end = ids[start...].firstIndex { $0.tableNumber != number } ?? ids.count
      catalog.table(number: number)?.prefetch(UnsafeBufferPointer(rebasing: ids[start..<end]))
      start = end
    }
  }
}
