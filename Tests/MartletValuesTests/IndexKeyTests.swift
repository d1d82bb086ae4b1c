import Testing

@testable import MartletValues

@Suite("Index keys")
struct IndexKeyTests {
  private func bytes(_ values: [Value]) -> [UInt8] {
    var writer = IndexKeyWriter()
    for value in values { writer.append(value: value) }
    return writer.key().bytes
  }

  @Test("Values are encoded as Convex encodes them")
  func vectors() {
    let vectors: [(Value, [UInt8])] = [
      (nil, [0x03]), (.int64(0), [0x08]), (.int64(5), [0x09, 5]), (.int64(128), [0x0A, 0, 0x80]), (.int64(-1), [0x07, 0xFF]), (.int64(-129), [0x06, 0xFF, 0x7F]),
      (.int64(40_000), [0x0B, 0, 0, 0x9C, 0x40]), (.int64(.min), [0x04, 0x80, 0, 0, 0, 0, 0, 0, 0]), (1, [0x0D, 0xBF, 0xF0, 0, 0, 0, 0, 0, 0]),
      (false, [0x0E]), (true, [0x0F]), ("a", [0x10, 0x61, 0]), ("a\0", [0x10, 0x61, 0, 0xFF, 0]), (.bytes([0]), [0x11, 0, 0xFF, 0]),
      ([], [0x12, 0]), ([nil], [0x12, 3, 0]), ([:], [0x15, 0]), (["k": nil], [0x15, 0x6B, 0, 3, 0]), (["": nil], [0x15, 0, 0xFF, 3, 0]),
    ]
    for (value, expected) in vectors { #expect(bytes([value]) == expected, "\(value)") }
  }

  @Test("A number's key is the one that is written for it", arguments: [0, -0.0, 1, -1, 10_023, 0.1, -1e300, 5e-324, .infinity, -.infinity, .nan])
  func keyOfNumber(_ double: Double) {
    var writer = IndexKeyWriter()
    writer.append(double: double)
    #expect(IndexKey(double: double, tie: 7) == writer.key(tie: 7))
    #expect(IndexKey(double: double, tie: 7).bytes == writer.key().bytes)
  }

  @Test("Keys of several values are ordered as the values are", arguments: 0..<6 as Range<UInt64>)
  func orderOfKeys(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    func key(_ values: [Value], _ tie: UInt64) -> IndexKey { IndexKey(bytes(values), tie: tie) }
    let tuples: [(values: [Value], tie: UInt64)] = (0..<250).map { _ in
      ((0..<2).map { _ in random.value(depth: 2) }, UInt64(random.below(3)))
    }
    let keys = tuples.map { key($0.values, $0.tie) }
    for left in tuples.indices {
      for right in tuples.indices {
        let (a, b) = (tuples[left], tuples[right])
        let isLess = a.values[0] != b.values[0] ? a.values[0] < b.values[0] : a.values[1] != b.values[1] ? a.values[1] < b.values[1] : a.tie < b.tie
        #expect((keys[left] < keys[right]) == isLess, "\(a) \(b)")
        #expect((keys[left] == keys[right]) == (a.values == b.values && a.tie == b.tie))
      }
    }
  }

  @Test("Keys are ordered by bytes, a prefix first, then by tie, at every length", arguments: 0..<4 as Range<UInt64>)
  func orderOfBytes(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var keys: [(bytes: [UInt8], tie: UInt64)] = []
    for _ in 0..<300 {
      var bytes = keys.isEmpty || random.below(3) == 0 ? [] : keys.randomElement(using: &random)!.bytes
      if random.below(2) == 0, !bytes.isEmpty { bytes[bytes.count - 1] = [0, 1, 0xFF].randomElement(using: &random)! }
      bytes += (0..<random.below(12)).map { _ in [0, 0, 1, 0xFF].randomElement(using: &random)! }
      keys.append((bytes, UInt64(random.below(3))))
    }
    for a in keys {
      let key = IndexKey(a.bytes, tie: a.tie)
      #expect(key.bytes == a.bytes)
      for b in keys {
        let other = IndexKey(b.bytes, tie: b.tie)
        let isLess = a.bytes.lexicographicallyPrecedes(b.bytes) || (a.bytes == b.bytes && a.tie < b.tie)
        #expect((key < other) == isLess)
        #expect((key == other) == (a.bytes == b.bytes && a.tie == b.tie))
        #expect(key.hasSameBytes(as: other) == (a.bytes == b.bytes))
        if key == other { #expect(key.hashValue == other.hashValue) }
      }
    }
  }

  @Test("The keys of one leading value lie between its bytes and their successor, and no others do", arguments: 0..<6 as Range<UInt64>)
  func rangeOfValue(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let awkward: [Value] = ["a", "a\0", "a\0b", "a\0\0", "", "\0", [], ["a"], ["a\0"], [[]], [:], ["": 1], ["a": "b"], ["a": "b\0"], .bytes([]), .bytes([0]), .bytes([0xFF])]
    let tuples: [[Value]] = (0..<250).map { _ in
      (0..<2).map { _ in random.below(2) == 0 ? awkward.randomElement(using: &random)! : random.value(depth: 2) }
    }
    for a in tuples {
      let prefix = IndexKey(bytes([a[0]]))
      let end = prefix.prefixSuccessor()
      for b in tuples {
        let key = IndexKey(bytes(b), tie: UInt64(random.below(3)))
        #expect((key >= prefix && key < end) == (a[0] == b[0]), "\(a[0]) \(b)")
        #expect((key < end) == (b[0] <= a[0]))
      }
      #expect(IndexKey(bytes(a)).prefix(values: 0) == [])
      #expect(IndexKey(bytes(a)).prefix(values: 1) == bytes([a[0]]), "\(a)")
      #expect(IndexKey(bytes(a)).prefix(values: 2) == bytes(a))
      #expect(IndexKey(bytes(a)).prefix(values: 3) == nil)
    }
  }

  @Test("A key built from JSON is the key built from the value", arguments: 0..<4 as Range<UInt64>)
  func fromJSON(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<2000 {
      let value = random.value(depth: 3)
      let text = Array(value.json.utf8)
      var writer = IndexKeyWriter()
      try text.withUnsafeBytes { bytes in
        var reader = JSONReader(bytes)
        try writer.append(json: &reader)
        try reader.finish()
      }
      #expect(writer.key().bytes == bytes([value]))
    }
  }

  @Test("A missing field comes before null")
  func missing() {
    var writer = IndexKeyWriter()
    writer.appendMissing()
    let missing = writer.key()
    writer.removeAll()
    writer.appendNull()
    #expect(missing < writer.key())
    #expect(missing.bytes == [0x01])
  }

  @Test("Ordered bits compare as doubles do in IEEE total order")
  func orderedBits() {
    let ascending: [Double] = [-.nan, -.infinity, -.greatestFiniteMagnitude, -1, -.leastNonzeroMagnitude, -0.0, 0, .leastNonzeroMagnitude, 1, .infinity, .nan]
    for (low, high) in zip(ascending, ascending.dropFirst()) { #expect(IndexKey.orderedBits(low) < IndexKey.orderedBits(high)) }
  }
}
