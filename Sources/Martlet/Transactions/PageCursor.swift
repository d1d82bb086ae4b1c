import MartletWire

/// A place in a query's range as text, which a client keeps and sends back: `3f2e51c09ab4d7e8-0d3ff0…`, or `3f2e51c09ab4d7e8-end`.
///
/// The digits in front are the query's fingerprint, so that the cursor of another query is refused instead of being taken for
/// a place in this one. Behind it are the position's bytes and its tie-break. All of that follows from the data and the
/// schema, so a cursor survives restarts, until the index changes. It is no secret: a client could write one, and reads
/// nothing by it that the query's range doesn't hold.
enum PageCursor {
  static func text(_ place: PagePlace, of fingerprint: UInt64) -> String {
    var bytes: [UInt8] = []
    append(fingerprint, to: &bytes)
    bytes.append(UInt8(ascii: "-"))
    switch place {
    case .end: bytes += "end".utf8
    case .after(let position):
      for byte in position.bytes { append(byte, to: &bytes) }
      append(position.tie, to: &bytes)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// - Parameter name: what the cursor is called where the caller gave it.
  static func place(_ text: String, of fingerprint: UInt64, _ name: String) throws -> PagePlace {
    let parts = text.utf8.split(separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let query = bytes(parts[0]), query.count == 8 else { throw invalid(name, "is no cursor") }
    guard word(query[...]) == fingerprint else { throw invalid(name, "is a cursor of another query") }
    if parts[1].elementsEqual("end".utf8) { return .end }
    guard let position = bytes(parts[1]), position.count >= 8 else { throw invalid(name, "is no cursor") }
    return .after(IndexKey(Array(position.dropLast(8)), tie: word(position.suffix(8))))
  }

  private static func invalid(_ name: String, _ problem: String) -> WireError {
    WireError(.invalidArguments, "InvalidCursor: \(name) \(problem); begin again with a null cursor")
  }

  private static let digits = Array("0123456789abcdef".utf8)

  private static func append(_ word: UInt64, to text: inout [UInt8]) {
    for shift in stride(from: UInt64(56), through: 0, by: -8) { append(UInt8(truncatingIfNeeded: word >> shift), to: &text) }
  }

  private static func append(_ byte: UInt8, to text: inout [UInt8]) {
    text.append(digits[Int(byte >> 4)])
    text.append(digits[Int(byte & 15)])
  }

  private static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

  private static func bytes(_ text: some Sequence<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    var iterator = text.makeIterator()
    while let high = iterator.next() {
      guard let low = iterator.next(), let high = value(high), let low = value(low) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}

extension TableRange {
  /// Stands for the query in its cursors: of the table's and the index's names, the index's fields, the bounds and the order.
  /// (FNV-1a, which says the same everywhere and always.)
  var fingerprint: UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    func mix(_ text: String) {
      for byte in text.utf8 { mix(byte) }
      mix(0)
    }
    func mix(_ bound: IndexKey?) {
      guard let bound else { return mix(0) }
      mix(1)
      for byte in bound.bytes { mix(byte) }
      for shift in stride(from: UInt64(0), to: 64, by: 8) { mix(UInt8(truncatingIfNeeded: bound.tie >> shift)) }
      mix(UInt8(truncatingIfNeeded: bound.count))
    }
    mix(layout.name)
    mix(layout.name(of: slot))
    for field in layout.fields(of: slot) { mix(field) }
    mix(lower)
    mix(upper)
    mix(isDescending ? 1 : 0)
    return hash
  }
}
