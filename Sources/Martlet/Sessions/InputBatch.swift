/// What several sessions have sent, in the order in which it came.
///
/// Sockets that are ready at the same moment are all read first, and what they held is handled then. So the engine can look ahead at the requests of many
/// connections, not only of one; and the processor runs the system's network code for all of them, then the handlers for all of them, each of which is
/// more than its nearest cache holds.
package struct InputBatch {
  /// So much is worth being handled, though more may come at once: what requests name, and they themselves, should still be in the cache when they run.
  package static let fullBytes = 32 * 1_024

  private var bytes: [UInt8] = []
  private var pieces: ContiguousArray<Piece> = []

  private struct Piece {
    let session: SessionID
    let end: Int
  }

  package init() {}

  package var isEmpty: Bool { pieces.isEmpty }
  package var isFull: Bool { bytes.count >= Self.fullBytes }

  package mutating func append(_ part: UnsafeRawBufferPointer, from session: SessionID) {
    bytes.append(contentsOf: part)
    pieces.append(Piece(session: session, end: bytes.count))
  }

  /// Forgets what was handled, and keeps the memory but for that of an uncommonly large batch.
  package mutating func removeAll() {
    pieces.removeAll(keepingCapacity: true)
    bytes.removeAll(keepingCapacity: bytes.capacity <= 4 * Self.fullBytes)
  }

  /// Hands out the pieces in groups of about `groupBytes`: each group as a whole, then its pieces one by one.
  func forEachGroup(
    ofBytes groupBytes: Int, whole: (UnsafeRawBufferPointer) -> Void, piece: (SessionID, UnsafeRawBufferPointer) -> Void
  ) {
    bytes.withUnsafeBytes { bytes in
      var first = 0
      var start = 0
      while first < pieces.count {
        var last = first
        while last + 1 < pieces.count, pieces[last].end - start < groupBytes { last += 1 }
        whole(UnsafeRawBufferPointer(rebasing: bytes[start..<pieces[last].end]))
        for index in first...last {
          piece(pieces[index].session, UnsafeRawBufferPointer(rebasing: bytes[start..<pieces[index].end]))
          start = pieces[index].end
        }
        first = last + 1
      }
    }
  }
}
