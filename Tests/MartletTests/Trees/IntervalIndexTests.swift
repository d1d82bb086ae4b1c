import Testing

@testable import Martlet

struct IntervalIndexTests {
  typealias Index = IntervalIndex<Int, Int>

  private struct Known {
    let lower: Int?
    let upper: Int?
    let owner: Int
    let token: Index.Token

    func contains(_ point: Int) -> Bool { lower.map { $0 <= point } ?? true && upper.map { point < $0 } ?? true }
  }

  private func hits(_ index: Index, _ point: Int) -> [Int] {
    var owners: [Int] = []
    index.forEach(containing: point) { owners.append($0) }
    return owners
  }

  /// `reach`: greatest length of an interval. Short ones make disjoint sets, long ones deep overlaps.
  @Test(
    "Random insertions and removals are stabbed as a list would be",
    arguments: [(seed: 1, reach: 3), (seed: 2, reach: 30), (seed: 3, reach: 1_000), (seed: 4, reach: 0)])
  func randomOperations(seed: Int, reach: Int) throws {
    var random = TreeGenerator(seed: UInt64(seed))
    var index = Index(fanout: seed == 2 ? .wide : .tiny)
    var known: [Known] = []
    for step in 0..<12_000 {
      let isGrowing = (step / 3_000) % 2 == 0
      if known.isEmpty || Int.random(in: 0..<10, using: &random) < (isGrowing ? 7 : 3) {
        let lower = Int.random(in: 0..<500, using: &random)
        let upper = lower + Int.random(in: 0...reach, using: &random)
        let bounds = Int.random(in: 0..<50, using: &random)
        let interval = (lower: bounds == 0 || bounds == 2 ? nil : lower, upper: bounds == 1 || bounds == 2 ? nil : upper)
        let token = index.insert(lower: interval.lower, upper: interval.upper, owner: step)
        known.append(Known(lower: interval.lower, upper: interval.upper, owner: step, token: token))
      } else {
        known.swapAt(known.count - 1, Int.random(in: 0..<known.count, using: &random))
        let gone = known.removeLast()
        #expect(index.remove(lower: gone.lower, gone.token) == gone.owner)
        #expect(index.remove(lower: gone.lower, gone.token) == nil)
      }
      #expect(index.count == known.count)
      if step % 32 == 0 { try index.checkInvariants() }
      if step % 8 == 0 {
        let point = Int.random(in: -2...502, using: &random)
        #expect(hits(index, point).sorted() == known.filter { $0.contains(point) }.map(\.owner).sorted())
      }
    }
    for gone in known { index.remove(lower: gone.lower, gone.token) }
    #expect(index.isEmpty)
  }

  @Test("An interval contains its lower bound and not its upper one; an empty one contains nothing")
  func edges() {
    var index = Index()
    _ = index.insert(lower: 10, upper: 20, owner: 1)
    _ = index.insert(lower: 20, upper: 20, owner: 2)
    _ = index.insert(lower: 20, upper: 10, owner: 3)
    _ = index.insert(lower: 20, upper: nil, owner: 4)
    _ = index.insert(lower: nil, upper: 10, owner: 5)
    _ = index.insert(lower: nil, upper: nil, owner: 6)
    #expect(hits(index, 9) == [5, 6])
    #expect(hits(index, 10) == [6, 1])
    #expect(hits(index, 19) == [6, 1])
    #expect(hits(index, 20) == [6, 4])
  }

  @Test("Of equal intervals each has its own token, and hits come in the order of insertion")
  func equals() throws {
    var index = Index(fanout: .tiny)
    let tokens = (0..<1_000).map { index.insert(lower: 5, upper: 6, owner: $0) }
    #expect(hits(index, 5) == Array(0..<1_000))
    for owner in stride(from: 0, to: 1_000, by: 2) { #expect(index.remove(lower: 5, tokens[owner]) == owner) }
    try index.checkInvariants()
    #expect(hits(index, 5) == Array(stride(from: 1, to: 1_000, by: 2)))
    #expect(hits(index, 6).isEmpty && hits(index, 4).isEmpty)
  }

  @Test("Among many disjoint intervals a stab finds the one, and in the gaps none")
  func disjoint() {
    var index = Index()
    for owner in 0..<10_000 { _ = index.insert(lower: owner * 10, upper: owner * 10 + 9, owner: owner) }
    for owner in 0..<10_000 {
      #expect(hits(index, owner * 10) == [owner])
      #expect(hits(index, owner * 10 + 9).isEmpty)
    }
  }
}
