import MartletValues
import Testing

@testable import MartletSQLite

@Suite("Checksums")
struct ChecksumTests {
  @Test(
    "They are XXH64, whose values are published",
    arguments: [
      ("", 0, 0xEF46_DB37_51D8_E999), ("a", 0, 0xD24E_C4F1_A98C_6E5B), ("abc", 0, 0x44BC_2CF5_AD77_0999),
      ("Nobody inspects the spammish repetition", 0, 0xFBCE_A83C_8A37_8BF1),
    ] as [(String, UInt64, UInt64)])
  func vectors(text: String, seed: UInt64, expected: UInt64) {
    #expect(Array(text.utf8).withUnsafeBytes { Checksum.of($0, seed: seed) } == expected)
  }

  @Test("Each bit of a document, its id and its creation time counts", arguments: [0, 3, 7, 31, 32, 100])
  func everyBitCounts(count: Int) {
    func checksum(_ table: UInt32, _ high: UInt64, _ low: UInt64, _ time: UInt64, _ bytes: [UInt8]) -> UInt64 {
      bytes.withUnsafeBytes {
        Checksum.of(
          document: DocumentID(tableNumber: table, high: high, low: low), creationTime: Double(bitPattern: time), json: $0)
      }
    }
    let bytes = (0..<count).map { UInt8($0) }
    var seen: Set = [checksum(7, 8, 9, 10, bytes)]
    for bit in 0..<64 {
      if bit < 32 { #expect(seen.insert(checksum(7 ^ 1 << bit, 8, 9, 10, bytes)).inserted) }
      #expect(seen.insert(checksum(7, 8 ^ 1 << bit, 9, 10, bytes)).inserted)
      #expect(seen.insert(checksum(7, 8, 9 ^ 1 << bit, 10, bytes)).inserted)
      #expect(seen.insert(checksum(7, 8, 9, 10 ^ 1 << bit, bytes)).inserted)
    }
    for bit in 0..<count * 8 {
      var flipped = bytes
      flipped[bit / 8] ^= 1 << (bit % 8)
      #expect(seen.insert(checksum(7, 8, 9, 10, flipped)).inserted)
    }
  }
}
