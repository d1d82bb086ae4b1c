import CZlib
import Glibc

/// Writes a ZIP file from its beginning to its end, without going back: it may be a pipe.
///
/// Each entry is compressed as it comes, and its checksum and sizes follow it (a "data descriptor"), so an entry of any length takes constant
/// memory. What is not written is ZIP64: an entry and the file may have 4 GiB, and there may be 65,535 entries; beyond that it throws.
package final class ZipWriter {
  private struct Entry {
    var name: [UInt8]
    var offset: UInt32
    var checksum: UInt32 = 0
    var compressed: UInt64 = 0
    var uncompressed: UInt64 = 0
  }

  private let sink: ByteSink
  private var offset: UInt64 = 0
  private var entries: [Entry] = []
  private var stream = z_stream()
  private var isInEntry = false
  private let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
  /// As MS-DOS has times: two seconds, minutes, hours; days, months, years since 1980.
  private let time: (time: UInt16, date: UInt16)

  package init(seconds: Int, _ sink: @escaping ByteSink) {
    self.sink = sink
    var parts = tm()
    var seconds = time_t(seconds)
    gmtime_r(&seconds, &parts)
    let (hour, minute, second) = (UInt16(parts.tm_hour), UInt16(parts.tm_min), UInt16(parts.tm_sec))
    let (year, month, day) = (UInt16(max(0, parts.tm_year - 80)), UInt16(parts.tm_mon + 1), UInt16(parts.tm_mday))
    time = (hour << 11 | minute << 5 | second / 2, year << 9 | month << 5 | day)
  }

  deinit {
    if isInEntry { deflateEnd(&stream) }
    output.deallocate()
  }

  private func put(_ bytes: UnsafeRawBufferPointer) throws {
    try sink(bytes)
    offset += UInt64(bytes.count)
    guard offset < UInt64(UInt32.max) else {
      throw TransferError("a ZIP file of more than 4 GiB isn't written; export table by table with --format jsonl")
    }
  }

  private func put(_ record: LittleEndianRecord) throws { try record.bytes.withUnsafeBytes { try put($0) } }

  package func begin(_ name: String) throws {
    guard entries.count < 65_534 else { throw TransferError("a ZIP file of more than 65,535 entries isn't written") }
    let entry = Entry(name: Array(name.utf8), offset: UInt32(offset))
    var header = LittleEndianRecord()
    header.add32(0x0403_4B50)
    header.add16(20)
    header.add16(0x0808)  // the sizes follow; the name is UTF-8
    header.add16(8)  // deflate
    header.add16(time.time)
    header.add16(time.date)
    for _ in 0..<3 { header.add32(0) }
    header.add16(UInt16(entry.name.count))
    header.add16(0)
    header.bytes += entry.name
    try put(header)
    entries.append(entry)
    stream = z_stream()
    guard czlib_deflate_init(&stream, 6) == Z_OK else { throw TransferError("zlib can't begin to compress") }
    isInEntry = true
  }

  package func write(_ bytes: UnsafeRawBufferPointer) throws {
    guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
    let input = base.assumingMemoryBound(to: UInt8.self)
    entries[entries.count - 1].checksum = UInt32(truncatingIfNeeded: crc32(uLong(entries[entries.count - 1].checksum), input, uInt(bytes.count)))
    entries[entries.count - 1].uncompressed += UInt64(bytes.count)
    stream.next_in = UnsafeMutablePointer(mutating: input)
    stream.avail_in = uInt(bytes.count)
    try compress(Z_NO_FLUSH)
  }

  package func write(_ text: String) throws {
    try Array(text.utf8).withUnsafeBytes { try write($0) }
  }

  private func compress(_ flush: Int32) throws {
    var status = Z_OK
    repeat {
      stream.next_out = output.baseAddress!.assumingMemoryBound(to: UInt8.self)
      stream.avail_out = uInt(output.count)
      status = deflate(&stream, flush)
      guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else { throw TransferError("zlib can't compress (\(status))") }
      let count = output.count - Int(stream.avail_out)
      if count > 0 { try put(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(output)[..<count])) }
      entries[entries.count - 1].compressed += UInt64(count)
    } while flush == Z_FINISH ? status != Z_STREAM_END : stream.avail_out == 0
  }

  package func end() throws {
    try compress(Z_FINISH)
    deflateEnd(&stream)
    isInEntry = false
    let entry = entries[entries.count - 1]
    guard entry.uncompressed < UInt64(UInt32.max) else {
      throw TransferError("an entry of more than 4 GiB isn't written into a ZIP file; export the table with --format jsonl")
    }
    var descriptor = LittleEndianRecord()
    descriptor.add32(0x0807_4B50)
    descriptor.add32(entry.checksum)
    descriptor.add32(UInt32(entry.compressed))
    descriptor.add32(UInt32(entry.uncompressed))
    try put(descriptor)
  }

  /// Writes the directory, without which it is no ZIP file.
  package func finish() throws {
    let start = offset
    for entry in entries {
      var record = LittleEndianRecord()
      record.add32(0x0201_4B50)
      record.add16(0x0314)  // by Unix
      record.add16(20)
      record.add16(0x0808)
      record.add16(8)
      record.add16(time.time)
      record.add16(time.date)
      record.add32(entry.checksum)
      record.add32(UInt32(entry.compressed))
      record.add32(UInt32(entry.uncompressed))
      record.add16(UInt16(entry.name.count))
      for _ in 0..<4 { record.add16(0) }
      record.add32(0o100644 << 16)
      record.add32(entry.offset)
      record.bytes += entry.name
      try put(record)
    }
    var end = LittleEndianRecord()
    end.add32(0x0605_4B50)
    end.add32(0)
    end.add16(UInt16(entries.count))
    end.add16(UInt16(entries.count))
    end.add32(UInt32(offset - start))
    end.add32(UInt32(start))
    end.add16(0)
    try put(end)
  }
}

private struct LittleEndianRecord {
  var bytes: [UInt8] = []

  mutating func add16(_ value: UInt16) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
  mutating func add32(_ value: UInt32) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
}
