import Testing

@testable import Martlet

/// The tree against a sorted array: what each operation answers, and what each snapshot still shows much later.
struct OrderedTreeModelTests {
  typealias Tree = OrderedTree<CountedKey, CountedPayload>

  /// The naive truth: pairs in ascending order of keys.
  struct Model {
    var pairs: [(key: Int, number: Int)] = []

    func rank(_ key: Int) -> Int {
      var (low, high) = (0, pairs.count)
      while low < high {
        let middle = (low + high) / 2
        if pairs[middle].key < key { low = middle + 1 } else { high = middle }
      }
      return low
    }

    func range(_ from: Int?, _ to: Int?) -> ArraySlice<(key: Int, number: Int)> {
      let low = from.map(rank) ?? 0
      return pairs[low..<max(low, to.map(rank) ?? pairs.count)]
    }

    func find(_ key: Int) -> Int? {
      let rank = rank(key)
      return rank < pairs.count && pairs[rank].key == key ? pairs[rank].number : nil
    }

    mutating func insert(_ number: Int, for key: Int) -> Int? {
      let rank = rank(key)
      guard rank < pairs.count, pairs[rank].key == key else {
        pairs.insert((key, number), at: rank)
        return nil
      }
      defer { pairs[rank].number = number }
      return pairs[rank].number
    }

    mutating func remove(_ key: Int) -> Int? {
      let rank = rank(key)
      guard rank < pairs.count, pairs[rank].key == key else { return nil }
      return pairs.remove(at: rank).number
    }
  }

  struct Plan: CustomTestStringConvertible, Sendable {
    let seed: UInt64
    let fanout: TreeFanout
    let operations: Int
    let keys: Int

    var testDescription: String { "seed \(seed), fanout \(fanout.leaf)/\(fanout.branch), \(operations) operations" }
  }

  @Test(
    "Random operations answer as a sorted array would, snapshots stay as they were, and nothing leaks",
    arguments: [
      Plan(seed: 1, fanout: .tiny, operations: 20_000, keys: 600),
      Plan(seed: 2, fanout: .tiny, operations: 20_000, keys: 4_000),
      Plan(seed: 3, fanout: TreeFanout(leaf: 5, branch: 4), operations: 20_000, keys: 60),
      Plan(seed: 4, fanout: TreeFanout(leaf: 7, branch: 9), operations: 20_000, keys: 2_000),
      Plan(seed: 5, fanout: .standard, operations: 20_000, keys: 6_000),
    ])
  func randomOperations(_ plan: Plan) throws {
    let census = Census()
    try run(plan, census)
    #expect(census.population == 0)
  }

  private func run(_ plan: Plan, _ census: Census) throws {
    var random = TreeGenerator(seed: plan.seed)
    var tree = Tree(fanout: plan.fanout)
    var model = Model()
    var snapshots: [(tree: Tree, model: Model)] = []
    var greatestHeight = 0
    for step in 0..<plan.operations {
      // The tree grows for a while, then shrinks, several times over, down to nothing.
      let isGrowing = (step / (plan.operations / 6)) % 2 == 0
      let key = Int.random(in: 0..<plan.keys, using: &random)
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<(isGrowing ? 60 : 15):
        let replaced = tree.insert(CountedPayload(citizen: Citizen(step, in: census)), for: CountedKey(key, in: census))
        #expect(replaced?.citizen.number == model.insert(step, for: key))
      case 0..<80:
        let present = !model.pairs.isEmpty && Bool.random(using: &random)
        let key = present ? model.pairs.randomElement(using: &random)!.key : key
        #expect(tree.remove(CountedKey(key, in: census))?.citizen.number == model.remove(key))
      case 80..<82:
        snapshots.append((tree, model))
        if snapshots.count > 8 {
          let old = snapshots.remove(at: Int.random(in: 0..<8, using: &random))
          try compare(old.tree, old.model, plan, census, &random)
        }
      case 82..<85:
        apply(step, isGrowing, to: &tree, &model, plan, census, &random)
      default:
        compareLookups(tree, model, plan, census, &random)
      }
      #expect(tree.count == model.pairs.count)
      if step % 16 == 0 { try tree.checkInvariants() }
      if step % 512 == 0 { try compare(tree, model, plan, census, &random) }
      greatestHeight = max(greatestHeight, tree.height)
    }
    if plan.fanout == .tiny { #expect(greatestHeight >= 4) }
    for snapshot in snapshots { try compare(snapshot.tree, snapshot.model, plan, census, &random) }
    // Down to the last entry.
    for pair in model.pairs.shuffled(using: &random) {
      #expect(tree.remove(CountedKey(pair.key, in: census))?.citizen.number == pair.number)
      try tree.checkInvariants()
    }
    #expect(tree.isEmpty && tree.height == 0)
  }

  /// Many changes at once; some remove what isn't there.
  private func apply(
    _ step: Int, _ isGrowing: Bool, to tree: inout Tree, _ model: inout Model, _ plan: Plan, _ census: Census,
    _ random: inout TreeGenerator
  ) {
    let first = Int.random(in: 0..<plan.keys, using: &random)
    let width = Bool.random(using: &random) ? plan.keys : max(1, plan.keys / 50)
    let keys = Set((0..<Int.random(in: 1...40, using: &random)).map { _ in
      min(first + Int.random(in: 0..<width, using: &random), plan.keys - 1)
    })
    var changes: ContiguousArray<TreeChange<CountedKey, CountedPayload>> = []
    for key in keys.sorted() {
      let isRemoval = Int.random(in: 0..<10, using: &random) < (isGrowing ? 3 : 7)
      changes.append(
        TreeChange(
          key: CountedKey(key, in: census),
          payload: isRemoval ? nil : CountedPayload(citizen: Citizen(step + key, in: census))))
      if isRemoval { _ = model.remove(key) } else { _ = model.insert(step + key, for: key) }
    }
    changes.withUnsafeBufferPointer { tree.apply($0) }
  }

  private func compareLookups(
    _ tree: Tree, _ model: Model, _ plan: Plan, _ census: Census, _ random: inout TreeGenerator
  ) {
    func bound() -> Int? {
      Int.random(in: 0..<8, using: &random) == 0 ? nil : Int.random(in: -1...plan.keys, using: &random)
    }
    let key = Int.random(in: -1...plan.keys, using: &random)
    let probe = CountedKey(key, in: census)
    #expect(tree.find(probe)?.citizen.number == model.find(key))
    #expect(tree.contains(probe) == (model.find(key) != nil))
    #expect(tree.rank(of: probe) == model.rank(key))
    if let rank = model.pairs.indices.randomElement(using: &random) {
      let entry = tree.entry(atRank: rank)
      #expect((entry.key.value, entry.payload.citizen.number) == model.pairs[rank])
    }
    let (low, high) = (bound(), bound())
    let (from, to) = (low.map { CountedKey($0, in: census) }, high.map { CountedKey($0, in: census) })
    let slice = model.range(low, high)
    #expect(tree.count(from: from, to: to) == slice.count)
    #expect(tree.sum(from: from, to: to) == Double(slice.reduce(0) { $0 + $1.number }))
    #expect(tree.first(from: from, to: to)?.key.value == slice.first?.key)
    #expect(tree.last(from: from, to: to)?.payload.citizen.number == slice.last?.number)
    let limit = Int.random(in: 0..<40, using: &random)
    for descending in [false, true] {
      let keys = slice.map(\.key)
      let expected = descending ? keys.suffix(limit).reversed() : Array(keys.prefix(limit))
      var seen: [Int] = []
      tree.forEach(from: from, to: to, descending: descending) { key, _ in
        if seen.count == limit { return false }
        seen.append(key.value)
        return true
      }
      #expect(seen == expected)
      #expect(tree.cursor(from: from, to: to, descending: descending).prefix(limit).map(\.key.value) == expected)
    }
  }

  private func compare(
    _ tree: Tree, _ model: Model, _ plan: Plan, _ census: Census, _ random: inout TreeGenerator
  ) throws {
    try tree.checkInvariants()
    var pairs: [(key: Int, number: Int)] = []
    tree.forEach { key, payload in
      pairs.append((key.value, payload.citizen.number))
      return true
    }
    #expect(pairs.elementsEqual(model.pairs, by: ==))
    compareLookups(tree, model, plan, census, &random)
  }
}
