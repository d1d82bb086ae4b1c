import MartletValues
import TestSupport
import Testing

@testable import Martlet

@Suite("Gathered changes in order")
struct GatheredChangesTests {
  /// Ways in which keys differ: each is a maker of keys.
  enum Kind: String, CaseIterable, CustomTestStringConvertible {
    case balances, wholeWords, texts, longTexts, mixedLengths, allEqual, manyEqual, lastBitOnly, onlyTies, emptyBytes

    var testDescription: String { rawValue }

    func key(_ random: inout TestRandom) -> IndexKey {
      switch self {
      case .balances:
        var writer = IndexKeyWriter()
        writer.append(double: Double(Int.random(in: 9_990...10_010, using: &random)))
        return writer.key(tie: IndexKey.orderedBits(1.79e12 + Double(Int.random(in: 0..<100_000, using: &random)) / 1_000))
      case .wholeWords:
        // More bits than fit in three items.
        return IndexKey(high: random.next(), low: random.next()).with(tie: random.next())
      case .texts: return IndexKey(text(upTo: 16, &random), tie: UInt64.random(in: 0..<3, using: &random))
      case .longTexts:
        return IndexKey(Array("a common beginning".utf8) + text(upTo: 30, &random), tie: UInt64.random(in: 0..<3, using: &random))
      case .mixedLengths: return IndexKey(text(upTo: 20, &random), tie: UInt64.random(in: 0..<3, using: &random))
      case .allEqual: return IndexKey([1, 2, 3], tie: 7)
      case .manyEqual: return IndexKey([UInt8.random(in: 0..<20, using: &random)], tie: 7)
      case .lastBitOnly: return IndexKey(high: .max, low: .max).with(tie: UInt64.random(in: 0...1, using: &random))
      case .onlyTies: return IndexKey([], tie: random.next())
      case .emptyBytes: return IndexKey([UInt8](repeating: 0, count: Int.random(in: 0...20, using: &random)))
      }
    }

    private func text(upTo count: Int, _ random: inout TestRandom) -> [UInt8] {
      (0..<Int.random(in: 0...count, using: &random)).map { _ in [0, 1, 97, 98, 255].randomElement(using: &random)! }
    }
  }

  @Test(
    "Positions are in the order of the keys, and of equal keys only the last is there",
    arguments: Kind.allCases, [1, 2, 100, 255, 256, 3_000, 40_000])
  func order(_ kind: Kind, _ count: Int) {
    var random = TestRandom(seed: UInt64(count))
    var gathered = GatheredChanges<IndexEntry>()
    var last: [IndexKey: Int] = [:]
    for position in 0..<count {
      let key = kind.key(&random)
      let isRemoval = Bool.random(using: &random)
      gathered.append(isRemoval ? nil : IndexEntry(id: InternalID(high: UInt64(position), low: 0)), for: key)
      last[key] = position
      let change = gathered.changes[position]
      #expect(gathered.key(of: change) == key)
      #expect(change.payload?.id.high == (isRemoval ? nil : UInt64(position)))
    }
    let expected = last.sorted { $0.key < $1.key }.map(\.value)
    #expect(gathered.positionsInOrder().map { Int($0) } == expected)
  }

  @Test("What was forgotten leaves nothing behind", arguments: [false, true])
  func forget(_ keepingCapacity: Bool) {
    var gathered = GatheredChanges<IndexEntry>()
    let long = IndexKey([UInt8](repeating: 5, count: 30))
    for _ in 0..<3 {
      gathered.append(nil, for: IndexKey([9]))
      gathered.append(nil, for: long)
      #expect(gathered.positionsInOrder() == [1, 0])
      #expect(gathered.key(of: gathered.changes[1]) == long)
      gathered.removeAll(keepingCapacity: keepingCapacity)
      #expect(gathered.isEmpty && gathered.longKeys.isEmpty)
    }
  }
}
