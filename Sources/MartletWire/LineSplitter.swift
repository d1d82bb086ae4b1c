/// Finds lines in a stream that arrives in chunks of any size.
///
/// Most chunks end with a line, so lines are handed over where they lie in the chunk. Only a tail without its LF is
/// copied, into a buffer of its own; when its end comes, the completed line is handed over from that buffer. Each byte
/// is looked at once, however the stream is cut, so that a slow sender of one long line costs no more than a quick one.
///
/// A line of more than `maxLineBytes` ends the stream: the lines before it are handed over, nothing after it ever is,
/// because what would follow is the middle of something unknown. Whether a line is too long doesn't depend on the
/// cuts, and no more than `maxLineBytes` are ever kept.
///
/// A line is handed over without its LF, and with the CR that may stand before it: the parsers drop that. What is left
/// without an LF at the end of a stream is no line, and is never handed over: half a command must not run.
package struct LineSplitter: ~Copyable {
  package enum Outcome: Hashable, Sendable {
    case more
    /// This and every later call: a line was too long.
    case lineTooLong
  }

  package let maxLineBytes: Int
  private var tail: [UInt8] = []
  private var isBroken = false

  /// A tail's buffer up to this size is kept for the next tail, a larger one is given back: thousands of connections
  /// that once received a long line must not hold on to its memory.
  private static let keptCapacityBytes = 16 << 10

  package init(maxLineBytes: Int) {
    precondition(maxLineBytes > 0, "A line has room for at least one byte")
    self.maxLineBytes = maxLineBytes
  }

  /// How many bytes of an unfinished line are kept.
  package var pendingBytes: Int { tail.count }

  /// Hands over each line that ends in these bytes, in order. The bytes given to `line` are valid only in that call.
  package mutating func feed(_ chunk: UnsafeRawBufferPointer, _ line: (UnsafeRawBufferPointer) -> Void) -> Outcome {
    guard !isBroken else { return .lineTooLong }
    var start = 0
    if !tail.isEmpty {
      let end = chunk.firstLineFeed(from: 0)
      guard append(chunk.bytes(in: 0..<(end ?? chunk.count))) else { return breakOff() }
      guard let end else { return .more }
      tail.withUnsafeBytes(line)
      tail.removeAll(keepingCapacity: tail.capacity <= Self.keptCapacityBytes)
      start = end + 1
    }
    while let end = chunk.firstLineFeed(from: start) {
      guard end - start <= maxLineBytes else { return breakOff() }
      line(chunk.bytes(in: start..<end))
      start = end + 1
    }
    guard append(chunk.bytes(in: start..<chunk.count)) else { return breakOff() }
    return .more
  }

  private mutating func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count <= maxLineBytes - tail.count else { return false }
    tail.append(contentsOf: bytes)
    return true
  }

  private mutating func breakOff() -> Outcome {
    isBroken = true
    tail = []
    return .lineTooLong
  }
}
