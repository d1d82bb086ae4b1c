/// A data file's pages as they are on the disk, beside SQLite: each from the write-ahead log, if a whole transaction there has it, or else from the file.
///
/// SQLite says that a file is damaged, and not where; and what stands behind a damaged page it doesn't read. The layout is public and will not
/// change (https://www.sqlite.org/fileformat2.html), so for naming a place, and for saving what is whole, the pages are read here. Nothing that is read
/// is believed: every offset and count is checked, and what a row says is held against its checksum.
struct PageFile {
  struct Page {
    var number: UInt32
    var bytes: [UInt8]
    /// Where its first byte is.
    var place: Place
  }

  /// A byte of one of the two files.
  struct Place: Equatable, CustomStringConvertible {
    var file: String
    var offset: Int

    var description: String { "byte \(offset) of \(file)" }
    static func + (place: Place, count: Int) -> Place { Place(file: place.file, offset: place.offset + count) }
  }

  static let magic = Array("SQLite format 3\0".utf8)

  let database: FileBytes
  let log: FileBytes?
  let pageSize: Int
  /// Of a page the part that SQLite uses.
  let usableSize: Int
  let pageCount: Int
  /// Whether the header says what a data file's says. If not, sizes are those that Martlet's files have.
  let hasSoundHeader: Bool
  /// What the header says of the data file's format; 0 where it isn't sound.
  let userVersion: Int
  /// Where in the log a page is.
  private let frames: [UInt32: Int]

  init(database: FileBytes, log: FileBytes?) {
    self.database = database
    self.log = log
    let contents = log.flatMap { Self.readLog($0) }
    frames = contents?.frames ?? [:]
    // A file that was just made may have all of it in the log.
    let header = frames[1].flatMap { log?.read($0, 100) } ?? database.read(0, 100)
    let stated = header.count == 100 ? Int(header[16]) << 8 | Int(header[17]) : 0
    let size = stated == 1 ? 65_536 : stated
    hasSoundHeader = header.starts(with: Self.magic) && size >= 512 && size & (size - 1) == 0 && size - Int(header[20]) >= 480
    userVersion = hasSoundHeader ? header[60..<64].reduce(0) { $0 << 8 | Int($1) } : 0
    pageSize = hasSoundHeader ? size : contents?.pageSize ?? Connection.pageSize
    usableSize = pageSize - (hasSoundHeader ? Int(header[20]) : 0)
    pageCount = max((database.size + pageSize - 1) / pageSize, Int(frames.keys.max() ?? 0))
  }

  /// nil beyond the end. A page that the file has in part is filled up with zeros.
  func page(_ number: UInt32) -> Page? {
    guard number >= 1, Int(number) <= pageCount else { return nil }
    if let offset = frames[number], let log {
      let bytes = log.read(offset, pageSize)
      if bytes.count == pageSize { return Page(number: number, bytes: bytes, place: Place(file: log.name, offset: offset)) }
    }
    let offset = (Int(number) - 1) * pageSize
    var bytes = database.read(offset, pageSize)
    bytes += [UInt8](repeating: 0, count: pageSize - bytes.count)
    return Page(number: number, bytes: bytes, place: Place(file: database.name, offset: offset))
  }

  /// Follows the write-ahead log to the end of its last whole transaction, as SQLite does.
  private static func readLog(_ log: FileBytes) -> (pageSize: Int, frames: [UInt32: Int])? {
    let header = log.read(0, 32)
    guard header.count == 32, header.number(0) & 0xFFFF_FFFE == 0x377F_0682 else { return nil }
    let pageSize = Int(header.number(8))
    guard pageSize >= 512, pageSize <= 65_536, pageSize & (pageSize - 1) == 0 else { return nil }
    let isBigEndian = header.number(0) & 1 == 1
    var sum: (UInt32, UInt32) = (0, 0)
    add(header[..<24], isBigEndian, &sum)
    guard sum == (header.number(24), header.number(28)) else { return nil }
    var committed: [UInt32: Int] = [:]
    var open: [UInt32: Int] = [:]
    var offset = 32
    while true {
      let frame = log.read(offset, 24 + pageSize)
      guard frame.count == 24 + pageSize, frame[8..<16] == header[16..<24], frame.number(0) > 0 else { break }
      add(frame[..<8], isBigEndian, &sum)
      add(frame[24...], isBigEndian, &sum)
      guard sum == (frame.number(16), frame.number(20)) else { break }
      open[frame.number(0)] = offset + 24
      if frame.number(4) > 0 {
        committed.merge(open) { $1 }
        open = [:]
      }
      offset += frame.count
    }
    return (pageSize, committed)
  }

  private static func add(_ bytes: ArraySlice<UInt8>, _ isBigEndian: Bool, _ sum: inout (UInt32, UInt32)) {
    bytes.withUnsafeBytes { bytes in
      for position in stride(from: 0, to: bytes.count, by: 8) {
        let first = bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self)
        let second = bytes.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self)
        sum.0 &+= (isBigEndian ? UInt32(bigEndian: first) : UInt32(littleEndian: first)) &+ sum.1
        sum.1 &+= (isBigEndian ? UInt32(bigEndian: second) : UInt32(littleEndian: second)) &+ sum.0
      }
    }
  }
}

extension Array where Element == UInt8 {
  /// Four bytes, big-endian.
  func number(_ offset: Int) -> UInt32 {
    withUnsafeBytes { UInt32(bigEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
  }
}
