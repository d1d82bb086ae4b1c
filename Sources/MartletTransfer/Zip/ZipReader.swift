import CZlib
import Glibc

/// A ZIP file, read by its directory: entries in any order, each a stream in constant memory.
///
/// It takes stored and deflated entries, and ZIP64. It doesn't take encrypted ones, nor a file in several parts. An entry's checksum and length
/// are compared at its end.
package final class ZipReader {
  package struct Entry: Sendable {
    package var name: String
    package var size: UInt64
    fileprivate var compressed: UInt64
    fileprivate var checksum: UInt32
    fileprivate var offset: UInt64
    fileprivate var method: UInt16
    fileprivate var flags: UInt16
  }

  package private(set) var entries: [Entry] = []
  private let descriptor: Int32
  private let name: String
  private let size: UInt64

  /// - Parameter descriptor: of a file that can be read anywhere; it stays open.
  package init(descriptor: Int32, name: String) throws {
    self.descriptor = descriptor
    self.name = name
    let size = lseek(descriptor, 0, SEEK_END)
    guard size >= 0 else { throw TransferError("can't read \(name): \(String(cString: strerror(errno)))") }
    self.size = UInt64(size)
    try readDirectory()
  }

  private func damaged(_ what: String) -> TransferError { TransferError("\(name) is no whole ZIP file: \(what)") }

  private func read(_ offset: UInt64, _ count: Int) throws -> [UInt8] {
    guard offset <= size, UInt64(count) <= size - offset else { throw damaged("it ends too early") }
    var done = 0
    var bytes = [UInt8](repeating: 0, count: count)
    while done < count {
      let read = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress! + done, count - done, off_t(offset) + done) }
      if read < 0, errno == EINTR { continue }
      guard read > 0 else { throw damaged("it can't be read at byte \(offset)") }
      done += read
    }
    return bytes
  }

  private func readDirectory() throws {
    // The end's record may be followed by a comment of up to 64 KiB.
    let tailCount = Int(min(size, 65_557))
    let tail = try read(size - UInt64(tailCount), tailCount)
    guard tailCount >= 22, let end = stride(from: tailCount - 22, through: 0, by: -1).first(where: { tail.word32($0) == 0x0605_4B50 }) else {
      throw damaged("it has no directory at its end")
    }
    var count = UInt64(tail.word16(end + 10))
    var start = UInt64(tail.word32(end + 16))
    var length = UInt64(tail.word32(end + 12))
    if count == 0xFFFF || start == 0xFFFF_FFFF || length == 0xFFFF_FFFF {
      guard end >= 20, tail.word32(end - 20) == 0x0706_4B50 else { throw damaged("its ZIP64 directory isn't there") }
      let record = try read(tail.word64(end - 20 + 8), 56)
      guard record.word32(0) == 0x0606_4B50 else { throw damaged("its ZIP64 directory isn't there") }
      (count, length, start) = (record.word64(32), record.word64(40), record.word64(48))
    }
    guard length <= 1 << 30 else { throw damaged("its directory is too long") }
    let directory = try read(start, Int(length))
    var position = 0
    for _ in 0..<count {
      guard position + 46 <= directory.count, directory.word32(position) == 0x0201_4B50 else { throw damaged("its directory is damaged") }
      let (nameCount, extraCount) = (Int(directory.word16(position + 28)), Int(directory.word16(position + 30)))
      let next = position + 46 + nameCount + extraCount + Int(directory.word16(position + 32))
      guard next <= directory.count else { throw damaged("its directory is damaged") }
      let nameEnd = position + 46 + nameCount
      var entry = Entry(
        name: String(decoding: directory[position + 46..<nameEnd], as: UTF8.self), size: UInt64(directory.word32(position + 24)),
        compressed: UInt64(directory.word32(position + 20)), checksum: directory.word32(position + 16),
        offset: UInt64(directory.word32(position + 42)), method: directory.word16(position + 10), flags: directory.word16(position + 8))
      try readLongSizes(Array(directory[nameEnd..<nameEnd + extraCount]), &entry)
      entries.append(entry)
      position = next
    }
  }

  /// ZIP64: what doesn't fit into 32 bits follows in a field of its own.
  private func readLongSizes(_ extra: [UInt8], _ entry: inout Entry) throws {
    var position = 0
    while position + 4 <= extra.count {
      let (kind, count) = (extra.word16(position), Int(extra.word16(position + 2)))
      position += 4
      guard position + count <= extra.count else { throw damaged("its directory is damaged") }
      if kind == 1 {
        var at = position
        for path in [\Entry.size, \Entry.compressed, \Entry.offset] where entry[keyPath: path] == 0xFFFF_FFFF {
          guard at + 8 <= position + count else { throw damaged("its directory is damaged") }
          entry[keyPath: path] = extra.word64(at)
          at += 8
        }
      }
      position += count
    }
  }

  package func open(_ entry: Entry) throws -> ByteSource {
    guard entry.flags & 1 == 0 else { throw TransferError("\(name): \(entry.name) is encrypted") }
    guard entry.method == 0 || entry.method == 8 else { throw TransferError("\(name): \(entry.name) is compressed in a way that isn't known") }
    let header = try read(entry.offset, 30)
    guard header.word32(0) == 0x0403_4B50 else { throw damaged("\(entry.name) isn't where its directory says") }
    let start = entry.offset + 30 + UInt64(header.word16(26)) + UInt64(header.word16(28))
    guard start <= size, entry.compressed <= size - start else { throw damaged("it ends within \(entry.name)") }
    let stream = EntryStream(self, entry, start)
    return ByteSource { try stream.fill($0) }
  }

  private final class EntryStream {
    private let reader: ZipReader
    private let entry: Entry
    private var position: UInt64
    private var left: UInt64
    private var stream = z_stream()
    private var input: [UInt8] = []
    private var inputStart = 0
    private var checksum: UInt32 = 0
    private var produced: UInt64 = 0
    private var isOpen = false
    private var isOver = false

    init(_ reader: ZipReader, _ entry: Entry, _ start: UInt64) {
      self.reader = reader
      self.entry = entry
      position = start
      left = entry.compressed
    }

    deinit { if isOpen { inflateEnd(&stream) } }

    private var failure: TransferError { reader.damaged("\(entry.name) is damaged") }

    private func nextInput() throws {
      let count = Int(min(left, 1 << 16))
      input = try reader.read(position, count)
      inputStart = 0
      position += UInt64(count)
      left -= UInt64(count)
    }

    func fill(_ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
      guard !isOver else { return 0 }
      let count = entry.method == 0 ? try copy(buffer) : try inflate(buffer)
      produced += UInt64(count)
      if count > 0 {
        checksum = UInt32(truncatingIfNeeded: crc32(uLong(checksum), buffer.baseAddress!.assumingMemoryBound(to: UInt8.self), uInt(count)))
      } else {
        isOver = true
        guard checksum == entry.checksum, produced == entry.size else { throw failure }
      }
      return count
    }

    private func copy(_ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
      if inputStart == input.count { try nextInput() }
      let count = min(buffer.count, input.count - inputStart)
      buffer.copyBytes(from: input[inputStart..<inputStart + count])
      inputStart += count
      return count
    }

    private func inflate(_ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
      if !isOpen {
        guard czlib_inflate_init(&stream) == Z_OK else { throw TransferError("zlib can't begin to read \(entry.name)") }
        isOpen = true
      }
      while true {
        if inputStart == input.count, left > 0 { try nextInput() }
        let status = input.withUnsafeMutableBytes { bytes in
          stream.next_in = bytes.baseAddress.map { ($0 + inputStart).assumingMemoryBound(to: UInt8.self) }
          stream.avail_in = uInt(bytes.count - inputStart)
          stream.next_out = buffer.baseAddress!.assumingMemoryBound(to: UInt8.self)
          stream.avail_out = uInt(buffer.count)
          return CZlib.inflate(&stream, Z_NO_FLUSH)
        }
        inputStart = input.count - Int(stream.avail_in)
        let count = buffer.count - Int(stream.avail_out)
        if count > 0 || status == Z_STREAM_END { return count }
        // Nothing came of it: more input may help, if there is any.
        guard status == Z_OK || status == Z_BUF_ERROR, left > 0 || inputStart < input.count, status == Z_OK || inputStart == input.count else { throw failure }
      }
    }
  }
}

extension [UInt8] {
  fileprivate func word16(_ at: Int) -> UInt16 { UInt16(self[at]) | UInt16(self[at + 1]) << 8 }
  fileprivate func word32(_ at: Int) -> UInt32 { UInt32(word16(at)) | UInt32(word16(at + 2)) << 16 }
  fileprivate func word64(_ at: Int) -> UInt64 { UInt64(word32(at)) | UInt64(word32(at + 4)) << 32 }
}
