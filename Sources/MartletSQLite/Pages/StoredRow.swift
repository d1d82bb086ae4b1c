/// The columns of a row as they are stored, in the order of its table's columns; of a table by rowid its key column is null.
struct StoredRow {
  enum Column {
    case null
    case integer(Int64)
    case real(Double)
    case text(Range<Int>)
    case blob(Range<Int>)
  }

  let payload: [UInt8]
  let columns: [Column]
  let rowid: Int64?
  let place: PageFile.Place

  /// nil where the payload is no row.
  init?(payload: [UInt8], rowid: Int64?, place: PageFile.Place) {
    var position = 0
    guard let headerSize = TreePage.varint(payload, &position, payload.count), headerSize >= 1, headerSize <= Int64(payload.count) else { return nil }
    var body = Int(headerSize)
    var columns: [Column] = []
    while position < Int(headerSize) {
      guard let type = TreePage.varint(payload, &position, Int(headerSize)), type >= 0, columns.count < 64 else { return nil }
      let size: Int64 =
        switch type {
        case 0, 8, 9, 10, 11: 0
        case 1...4: type
        case 5: 6
        case 6, 7: 8
        default: (type - 12) / 2
        }
      guard size <= Int64(payload.count - body) else { return nil }
      let range = body..<body + Int(size)
      switch type {
      case 0, 10, 11: columns.append(.null)
      case 8, 9: columns.append(.integer(type - 8))
      case 1...6:
        var value: Int64 = payload[range.lowerBound] >= 0x80 ? -1 : 0
        for byte in payload[range] { value = value << 8 | Int64(byte) }
        columns.append(.integer(value))
      case 7:
        columns.append(.real(Double(bitPattern: payload[range].reduce(0) { $0 << 8 | UInt64($1) })))
      default: columns.append(type.isMultiple(of: 2) ? .blob(range) : .text(range))
      }
      body = range.upperBound
    }
    self.payload = payload
    self.columns = columns
    self.rowid = rowid
    self.place = place
  }

  func integer(_ index: Int) -> Int64? {
    guard index < columns.count, case .integer(let value) = columns[index] else { return nil }
    return value
  }

  /// A whole number in a column of reals is stored as an integer.
  func real(_ index: Int) -> Double? {
    guard index < columns.count else { return nil }
    return switch columns[index] {
    case .real(let value): value
    case .integer(let value): Double(value)
    default: nil
    }
  }

  func bytes(_ index: Int) -> Range<Int>? {
    guard index < columns.count else { return nil }
    return switch columns[index] {
    case .text(let range), .blob(let range): range
    default: nil
    }
  }

  func text(_ index: Int) -> String? { bytes(index).map { String(decoding: payload[$0], as: UTF8.self) } }
}
