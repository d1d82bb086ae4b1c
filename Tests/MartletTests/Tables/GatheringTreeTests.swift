import MartletValues
import Testing

@testable import Martlet

@Suite("Indexes that gather their changes")
struct GatheringTreeTests {
  /// Keys of all lengths, many with equal beginnings.
  private static func key(_ number: Int) -> IndexKey {
    let sevens = [UInt8](repeating: 7, count: 16)
    switch number % 5 {
    case 0: return IndexKey([UInt8(number >> 8 & 255), UInt8(number & 255)], tie: UInt64(number))
    case 1: return IndexKey(sevens + [UInt8(number >> 8 & 255), UInt8(number & 255)], tie: UInt64(number % 3))
    case 2: return IndexKey(sevens + [UInt8](repeating: 0, count: number % 40), tie: UInt64(number))
    case 3: return IndexKey([UInt8](repeating: 0, count: number % 18), tie: UInt64(number))
    default: return IndexKey(Array("abcdefghijklmnopqrstuvwxyz\(number)".utf8), tie: 9)
    }
  }

  private static func contents(_ tree: OrderedTree<IndexKey, IndexEntry>) -> [IndexKey: UInt64] {
    var found: [IndexKey: UInt64] = [:]
    tree.forEach(from: nil, to: nil, descending: false) {
      found[$0] = $1.id.high
      return true
    }
    return found
  }

  @Test("Once settled, the tree has the last change of each key, and copies go on by themselves", arguments: [500, 20_000])
  func lastChangeOfEachKey(_ keys: Int) throws {
    var random = TreeGenerator(seed: UInt64(keys))
    var gathering = GatheringTree<IndexEntry>()
    var model: [IndexKey: UInt64] = [:]
    var copies: [(GatheringTree<IndexEntry>, [IndexKey: UInt64])] = []
    for step in 0..<80_000 {
      let key = Self.key(Int.random(in: 0..<keys, using: &random))
      if Int.random(in: 0..<3, using: &random) == 0 {
        gathering.remove(key)
        model[key] = nil
      } else {
        gathering.insert(IndexEntry(id: InternalID(high: UInt64(step), low: 0)), for: key)
        model[key] = UInt64(step)
      }
      if Int.random(in: 0..<9_000, using: &random) == 0 { copies.append((gathering, model)) }
      if Int.random(in: 0..<40_000, using: &random) == 0 {
        gathering.settle()
        try gathering.tree.checkInvariants()
      }
    }
    copies.append((gathering, model))
    for (copy, model) in copies.shuffled(using: &random) {
      var copy = copy
      var model = model
      copy.insert(IndexEntry(id: InternalID(high: 1 << 60, low: 0)), for: Self.key(1))
      model[Self.key(1)] = 1 << 60
      copy.settle()
      #expect(copy.isSettled)
      try copy.tree.checkInvariants()
      #expect(Self.contents(copy.tree) == model)
    }
  }
}
