import Glibc

/// Bytes of a file, a pipe or an archive's entry, one after another, in constant memory.
///
/// Readers of text take them one by one, or up to the next of some byte. 64 KiB are held.
package final class ByteSource {
  private let fill: (UnsafeMutableRawBufferPointer) throws -> Int
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
  private var start = 0
  private var end = 0
  private var isAtEnd = false
  /// How many bytes have been asked of the origin.
  package private(set) var bytesRead = 0

  /// - Parameter fill: writes the next bytes, at least one unless the end is reached, and says how many.
  package init(_ fill: @escaping (UnsafeMutableRawBufferPointer) throws -> Int) { self.fill = fill }

  /// Of a descriptor, which stays open.
  package convenience init(descriptor: Int32, name: String) {
    self.init { buffer in
      while true {
        let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        if count >= 0 { return count }
        guard errno == EINTR else { throw TransferError("can't read \(name): \(String(cString: strerror(errno)))") }
      }
    }
  }

  package convenience init(_ bytes: [UInt8]) {
    var position = 0
    self.init { buffer in
      let count = min(buffer.count, bytes.count - position)
      buffer.copyBytes(from: bytes[position..<position + count])
      position += count
      return count
    }
  }

  deinit { buffer.deallocate() }

  private func refill() throws {
    guard !isAtEnd else { return }
    start = 0
    end = try fill(buffer)
    bytesRead += end
    isAtEnd = end == 0
  }

  /// The next byte, which stays; nil at the end.
  @inline(__always)
  package func peek() throws -> UInt8? {
    if start == end {
      try refill()
      if start == end { return nil }
    }
    return buffer[start]
  }

  /// Passes the byte that `peek` gave.
  @inline(__always)
  package func advance() { start += 1 }

  /// Appends bytes until `stop`, which is passed and not appended. False where the end came first.
  /// - Parameter limit: how many bytes are appended at most; the others are passed.
  package func take(until stop: UInt8, into bytes: inout [UInt8], limit: Int) throws -> Bool {
    while true {
      if start == end {
        try refill()
        if start == end { return false }
      }
      let rest = UnsafeRawBufferPointer(rebasing: buffer[start..<end])
      let found = memchr(rest.baseAddress!, Int32(stop), rest.count)
      let count = found.map { UnsafeRawPointer($0) - rest.baseAddress! } ?? rest.count
      bytes.append(contentsOf: rest.prefix(min(count, max(0, limit - bytes.count))))
      start += count
      if found != nil {
        start += 1
        return true
      }
    }
  }

  /// Lends what is held, up to 64 KiB, and passes it. False at the end.
  package func takeChunk(_ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool {
    guard try peek() != nil else { return false }
    defer { start = end }
    try body(UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
    return true
  }

  /// Passes the mark that some programs write before UTF-8. To be called at the beginning.
  package func skipByteOrderMark() throws {
    if let first = try peek(), end - start >= 2, (first == 0xFF && buffer[start + 1] == 0xFE) || (first == 0xFE && buffer[start + 1] == 0xFF) {
      throw TransferError("the text is UTF-16, as its first bytes say, and must be UTF-8: convert it, as with iconv -f UTF-16 -t UTF-8")
    }
    guard try peek() == 0xEF, end - start >= 3, buffer[start + 1] == 0xBB, buffer[start + 2] == 0xBF else { return }
    start += 3
  }
}

/// Why a file can't be read or written at all; what is wrong with one of its lines is an `ImportProblem`.
package struct TransferError: Error, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}
