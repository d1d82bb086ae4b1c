import MartletValues
import Testing

@Suite("Document ids")
struct DocumentIDTests {
  private static let counting: (UInt64, UInt64) = (0x0001_0203_0405_0607, 0x0809_0A0B_0C0D_0E0F)

  @Test("Ids are spelled as Convex spells them")
  func vectors() {
    let vectors: [(UInt32, UInt64, UInt64, String)] = [
      (1, 0, 0, "0400000000000000000000000000248"),
      (1, Self.counting.0, Self.counting.1, "040020g30g2gc1r81450p30d1r7qke8"),
      (10001, Self.counting.0, Self.counting.1, "j57000820c20a1g7104gm2rc1m70ynr8"),
      (10001, .max, .max, "j57fzzzzzzzzzzzzzzzzzzzzzzzzzkyr"),
      (20000, Self.counting.0, Self.counting.1, "m2e02001081g81860w40j2gb1g6gw3xnj4"),
      (.max, Self.counting.0, Self.counting.1, "zzzzzzrf000g40r40m30e209185gr38e1y1nj"),
    ]
    for (table, high, low, text) in vectors {
      let id = DocumentID(tableNumber: table, high: high, low: low)
      #expect(id.description == text)
      #expect(DocumentID(text) == id)
    }
  }

  @Test("A text reads back as the id, and sorts as ids of its table do", arguments: 0..<4 as Range<UInt64>)
  func roundTrip(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var last = DocumentID(tableNumber: 10001, high: 5, low: 5)
    for _ in 0..<5000 {
      let table = max(1, UInt32(truncatingIfNeeded: random.next()) >> UInt32(random.below(32)))
      let id = DocumentID(tableNumber: table, high: random.next() >> UInt64(random.below(64)), low: random.next())
      #expect(DocumentID(id.description) == id)
      let sibling = DocumentID(tableNumber: last.tableNumber, high: id.high, low: id.low)
      #expect((last < sibling) == (last.description < sibling.description))
      last = id
    }
  }

  @Test("Every other spelling is refused: one character changed, added or removed, upper case, aliases", arguments: [1, 127, 128, 10001, 16383, 16384, 1 << 21, 1 << 28, UInt32.max])
  func strictness(table: UInt32) {
    var random = SeededGenerator(seed: UInt64(table))
    for _ in 0..<200 {
      let id = DocumentID(tableNumber: table, high: random.next(), low: random.next())
      let text = Array(id.description.utf8)
      var refused = 0
      for place in text.indices {
        var changed = text
        changed[place] = UInt8(truncatingIfNeeded: random.next())
        guard changed != text else { continue }
        // The checksum has 16 bits, so a change passes by chance once in 65,536; then it must be another id, spelled its own way.
        if let other = changed.withUnsafeBytes({ DocumentID(utf8: $0) }) {
          #expect(Array(other.description.utf8) == changed)
        } else {
          refused += 1
        }
      }
      #expect(refused > 25)
      #expect((text + [0x30]).withUnsafeBytes { DocumentID(utf8: $0) } == nil)
      #expect(text.dropLast().withUnsafeBytes { DocumentID(utf8: $0) } == nil)
      let upper = id.description.uppercased()
      #expect(upper == id.description || DocumentID(upper) == nil)
    }
  }

  @Test("At each place of an id each byte is told from each character, for ids of every length", arguments: [1, 10001, 16384, 1 << 21, UInt32.max])
  func everyByte(table: UInt32) {
    var random = SeededGenerator(seed: UInt64(table))
    var spelled = 0
    // So many that each character has stood where each byte that is mistaken for it may stand.
    for _ in 0..<24 {
      let id = DocumentID(tableNumber: table, high: random.next(), low: random.next())
      let text = Array(id.description.utf8)
      for place in text.indices {
        for byte in 0...UInt8.max {
          var changed = text
          changed[place] = byte
          guard let other = changed.withUnsafeBytes({ DocumentID(utf8: $0) }) else { continue }
          guard Array(other.description.utf8) == changed else { Issue.record("\(byte) at \(place) of \(id)"); return }
          spelled += 1
        }
      }
      guard DocumentID(id.description) == id else { Issue.record("\(id)"); return }
    }
    #expect(spelled >= 24 * 31)
  }

  @Test("Texts that are no ids are refused", arguments: [
    "", "0", "j57", "0400000000000000000000000000249", "04000000000000000000000000002480", "0000000000000000000000000000000", "éééééééééééééééé",
    "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", "j57000820c20a1g7104gm2rc1m70ynrl", "J57000820C20A1G7104GM2RC1M70YNR8",
  ])
  func noIds(text: String) { #expect(DocumentID(text) == nil) }

  @Test("A superfluous zero group in the table number, and table 0, are refused though their checksums fit")
  func canonicalTableNumber() {
    // Base32 with a checksum computed here, independently, over arbitrary leading bytes.
    func text(_ leading: [UInt8]) -> String {
      var bytes = leading + [UInt8](repeating: 0, count: 16)
      var (plain, partial): (UInt8, UInt8) = (0, 0)
      for byte in bytes {
        plain &+= byte
        partial &+= plain
      }
      bytes += [plain, partial]
      let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz")
      var digits: [Int] = []
      for index in 0..<(bytes.count * 8 + 4) / 5 {
        var digit = 0
        for place in index * 5..<index * 5 + 5 {
          let bit = place / 8 < bytes.count ? bytes[place / 8] >> UInt8(7 - place % 8) & 1 : 0
          digit = digit * 2 + Int(bit)
        }
        digits.append(digit)
      }
      return String(digits.map { alphabet[$0] })
    }
    #expect(DocumentID(text([1])) == DocumentID(tableNumber: 1, high: 0, low: 0))
    #expect(DocumentID(text([0x91, 0x4E])) == DocumentID(tableNumber: 10001, high: 0, low: 0))
    #expect(DocumentID(text([0])) == nil)
    #expect(DocumentID(text([0x81, 0x00])) == nil)
    #expect(DocumentID(text([0x81])) == nil)
    #expect(DocumentID(text([0x01, 0x01])) == nil)
    #expect(DocumentID(text([0xFF, 0xFF, 0xFF, 0xFF, 0x10])) == nil)
  }

  @Test("In JSON an id is a string")
  func json() throws {
    let id = DocumentID(tableNumber: 10001, high: 1, low: 2)
    var writer = JSONWriter()
    id.write(to: &writer)
    #expect(writer.bytes == Array("\"\(id)\"".utf8))
    #expect(try writer.bytes.withReader { try DocumentID.decode(from: &$0) } == id)
  }
}
