import Testing

@testable import Martlet

struct OrderedTreeTests {
  typealias Tree = OrderedTree<Int, PlainPayload>

  private func tree(_ keys: some Sequence<Int>, fanout: TreeFanout = .tiny) -> Tree {
    var tree = Tree(fanout: fanout)
    for key in keys { tree.insert(PlainPayload(number: key), for: key) }
    return tree
  }

  @Test("An empty tree has nothing to show and nothing to remove")
  func empty() throws {
    var tree = Tree()
    try tree.checkInvariants()
    #expect(tree.find(1) == nil)
    #expect(tree.remove(1) == nil)
    #expect(tree.first() == nil && tree.last() == nil)
    #expect(tree.rank(of: 1) == 0 && tree.count(from: 0, to: 9) == 0)
    var cursor = tree.cursor(descending: true)
    #expect(cursor.next() == nil)
  }

  @Test("A bulk load of any size is a valid tree of full leaves, and can be edited", arguments: [4, 5, 32])
  func bulkLoad(_ fanout: Int) throws {
    for size in Array(0...100) + [1_000, 1_025, 5_000] {
      let pairs = (0..<size).map { ($0 * 2, PlainPayload(number: $0)) }
      var tree = Tree(sorted: pairs, fanout: TreeFanout(leaf: fanout, branch: fanout))
      try tree.checkInvariants()
      #expect(tree.count == size)
      #expect(tree.cursor().map(\.payload.number) == Array(0..<size))
      #expect(tree.occupancy().leaves == (size + fanout - 1) / fanout)
      for key in stride(from: -1, to: 2 * size, by: 7) { tree.insert(PlainPayload(number: key), for: key) }
      try tree.checkInvariants()
      for key in stride(from: 0, to: 2 * size, by: 3) { tree.remove(key) }
      try tree.checkInvariants()
    }
  }

  @Test("Keys that arrive in ascending order leave full leaves behind")
  func appending() throws {
    let appended = tree(0..<10_000, fanout: .standard)
    try appended.checkInvariants()
    #expect(appended.occupancy().leaves == (10_000 + TreeFanout.standard.leaf - 1) / TreeFanout.standard.leaf)
    try tree(0..<3_000).checkInvariants()
    try tree((0..<3_000).reversed()).checkInvariants()
  }

  @Test("A payload is replaced where its key is, and snapshots keep what they had", arguments: [1, 5, 3_000])
  func replacing(_ size: Int) throws {
    var random = TreeGenerator(seed: UInt64(size))
    var tree = tree(0..<size)
    var model = Array(0..<size)
    var snapshots: [(tree: Tree, model: [Int])] = []
    for step in 0..<6_000 {
      if Int.random(in: 0..<200, using: &random) == 0 { snapshots.append((tree, model)) }
      let key = Int.random(in: 0..<size, using: &random)
      tree.replace(key, with: PlainPayload(number: size + step))
      model[key] = size + step
    }
    snapshots.append((tree, model))
    for (tree, model) in snapshots {
      try tree.checkInvariants()
      #expect(tree.cursor().map(\.payload.number) == model && tree.cursor().map(\.key) == Array(0..<size))
    }
  }

  @Test("A queue, appended to at the end and emptied from the front or the end, stays valid", arguments: [true, false])
  func queue(_ fromFront: Bool) throws {
    var tree = tree(0..<500)
    for key in 500..<1_500 {
      tree.insert(PlainPayload(number: key), for: key)
      tree.remove(fromFront ? tree.first()!.key : tree.last(to: key)!.key)
      try tree.checkInvariants()
    }
    while let key = fromFront ? tree.first()?.key : tree.last()?.key {
      tree.remove(key)
      try tree.checkInvariants()
    }
    #expect(tree.isEmpty)
  }

  @Test("A mutation without a snapshot leaves every node where it is; with one, it replaces only the path")
  func sharing() {
    func nodes(_ tree: Tree) -> Set<UInt> {
      func walk(_ view: Tree.View, _ found: inout Set<UInt>) {
        found.insert(UInt(bitPattern: view.header))
        if !view.isLeaf { for index in 0..<view.count { walk(view.child(index), &found) } }
      }
      var found: Set<UInt> = []
      if let root = tree.rootView { walk(root, &found) }
      return found
    }
    var tree = tree(0..<2_000)
    let before = nodes(tree)
    tree.insert(PlainPayload(number: -1), for: 1_000)
    #expect(nodes(tree) == before)

    let snapshot = tree
    tree.remove(2_000)
    #expect(nodes(tree) == before, "removing an absent key copies nothing")
    tree.insert(PlainPayload(number: -2), for: 1_000)
    #expect(nodes(snapshot) == before)
    #expect(nodes(tree).subtracting(before).count == tree.height)
    #expect(nodes(tree).intersection(before).count == before.count - tree.height)
    #expect(snapshot.find(1_000)?.number == -1 && tree.find(1_000)?.number == -2)
  }

  @Test("A cursor shows the tree of the moment when it was made, however long it pauses")
  func pausedCursor() {
    var tree = tree(0..<1_000)
    var ascending = tree.cursor(from: 100, to: 900)
    var descending = tree.cursor(from: 100, to: 900, descending: true)
    var seen: (up: [Int], down: [Int]) = ([], [])
    for key in 0..<1_000 {
      if let entry = ascending.next() { seen.up.append(entry.key) }
      if let entry = descending.next() { seen.down.append(entry.key) }
      tree.remove(key)
      tree.insert(PlainPayload(number: 0), for: 2_000 + key)
    }
    #expect(seen.up == Array(100..<900) && seen.down == Array((100..<900).reversed()))
    #expect(ascending.next() == nil && descending.next() == nil)
  }

  @Test("A cursor may outlive the tree, and its fork goes its own way")
  func orphanedCursor() {
    var cursor = tree(0..<300).cursor()
    for expected in 0..<150 { #expect(cursor.next()?.key == expected) }
    var fork = cursor
    #expect(fork.next()?.key == 150)
    #expect(cursor.map(\.key) == Array(150..<300))
  }

  @Test("A walk of a copy goes on while the original is emptied, and stops when its body throws")
  func reentrantWalk() throws {
    struct Stop: Error {}
    var tree = tree(0..<100)
    let walked = tree
    var seen = 0
    walked.forEach { key, _ in
      tree.remove(key)
      seen += 1
      return true
    }
    #expect(seen == 100 && tree.isEmpty && walked.count == 100)
    #expect(throws: Stop.self) {
      try walked.forEach(descending: true) { key, _ in
        if key == 50 { throw Stop() }
        return true
      }
    }
  }

  @Test("Sums do not drift, and an infinity that is removed leaves no trace")
  func sums() throws {
    struct Amount: SummedPayload { let amount: Double }
    var tree = OrderedTree<Int, Amount>(fanout: .tiny)
    for key in 0..<200 { tree.insert(Amount(amount: 0.25), for: key) }
    for round in 0..<200 {
      for huge in [1e300, .infinity, -.infinity, .nan] {
        tree.insert(Amount(amount: huge), for: 1_000 + round)
        tree.insert(Amount(amount: huge), for: round)
        try tree.checkInvariants()
        tree.remove(1_000 + round)
        tree.insert(Amount(amount: 0.25), for: round)
      }
    }
    #expect(tree.sum() == 50)
    tree.insert(Amount(amount: 1e300), for: 100)
    #expect(tree.sum(to: 100) == 25 && tree.sum(from: 101) == 24.75)
  }

  @Test("Snapshots may be read and dropped on other threads while the tree goes on")
  func threads() async {
    let census = Census()
    await withTaskGroup(of: Int.self) { group in
      var tree = OrderedTree<Int, CountedPayload>(fanout: TreeFanout(leaf: 8, branch: 8))
      for key in 0..<20_000 {
        tree.insert(CountedPayload(citizen: Citizen(1, in: census)), for: key &* 7_919 % 10_007)
        if key % 100 == 0 {
          let snapshot = tree
          group.addTask { snapshot.count - Int(snapshot.sum()) }
        }
      }
      for await difference in group { #expect(difference == 0) }
    }
    #expect(census.population == 0)
  }
}
