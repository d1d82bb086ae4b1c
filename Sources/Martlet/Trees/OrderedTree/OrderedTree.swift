/// What an `OrderedTree` stores with a key. A payload that is to be added up has a `summand`, whose type says how; for
/// all others the defaults make the sums, their memory and their upkeep vanish at compile time.
protocol TreePayload: Sendable {
  associatedtype Summary: TreeSummary = NoSummary
  var summand: Summary { get }
}

extension TreePayload where Summary == NoSummary {
  var summand: NoSummary { NoSummary() }
}

/// A payload with a number that trees add up.
protocol SummedPayload: TreePayload where Summary == ExactSum {
  var amount: Double { get }
}

extension SummedPayload {
  @inline(__always)
  var summand: ExactSum { ExactSum(amount) }
}

/// A sorted map whose copies are snapshots: the shape of every table and every index in memory.
///
/// Readers need a state that stays still while the writer commits. Locks would make them wait for each other, copying
/// a table of 100,000 documents for each commit is out of the question. A persistent B+tree gives both: assigning the
/// struct takes one reference to the root, O(1), and the two values share all nodes. A mutation copies only those
/// nodes on the path from the root to one leaf that somebody else also holds, and works in place on nodes that it
/// alone holds. So a run of writes between two snapshots pays for each touched node once.
///
/// Each branch node keeps the number of entries below each child and, for payloads that have one, the sum of their
/// summands. Hence ranks, entries by rank, and counts and sums over a range cost one descent, not a scan. Sums are exact,
/// so they are kept by adding and subtracting and don't drift: see `ExactSum`.
///
/// Nodes hold from a third of their capacity up to all of it. Keys that arrive in ascending order (ids by creation
/// time) leave full nodes behind, for the rightmost node splits unevenly; nodes on the right edge may be nearly empty.
///
/// Costs below are for n entries and fanout f: a descent is O(log n) comparisons in log_f n nodes.
///
/// Not for concurrent mutation of one variable: as for an array, the owner of the variable serialises writers.
/// Snapshots may be read and dropped on any thread.
struct OrderedTree<Key: Comparable & Sendable, Payload: TreePayload> {
  typealias Entry = (key: Key, payload: Payload)
  typealias Node = TreeNode<Key, Payload>
  typealias View = TreeNodeView<Key, Payload>

  /// Nil when the tree is empty, so that an empty tree allocates nothing.
  var root: Node?

  /// Entries. O(1).
  var count: Int

  let fanout: TreeFanout

  /// An empty tree. O(1), no allocation.
  init(fanout: TreeFanout = .wide) {
    self.root = nil
    self.count = 0
    self.fanout = fanout
  }

  var isEmpty: Bool { count == 0 }

  /// A view of the root, or nil. `self` must outlive its use.
  @inline(__always)
  var rootView: View? {
    guard let root else { return nil }
    return View(root)
  }
}

// A node is only written while a single tree value holds it, inside a mutating method of that value; nodes that two
// values share are never written again. So values on different threads see frozen nodes.
extension OrderedTree: @unchecked Sendable {}

/// How many entries a leaf holds, and how many children a branch node.
///
/// Large nodes make for short descents. But a commit after a snapshot copies one leaf and its ancestors, and each
/// payload and child in the copies costs an atomic increment, and a decrement when the snapshot goes.
struct TreeFanout: Sendable, Equatable {
  let leaf: Int
  let branch: Int

  init(leaf: Int, branch: Int) {
    precondition((4...32_768).contains(leaf) && (4...32_768).contains(branch), "fanout out of range")
    self.leaf = leaf
    self.branch = branch
  }

  /// For trees of which snapshots are taken all the time. With keys of 40 bytes nodes stay below a kilobyte, where
  /// allocation is cheapest; lookups are hardly slower than with twice the size, commits a quarter faster.
  static let standard = TreeFanout(leaf: 20, branch: 16)

  /// For trees that are seldom shared, and so mutated in place.
  static let wide = TreeFanout(leaf: 32, branch: 32)

  /// For tests, which reach deep trees with few entries.
  static let tiny = TreeFanout(leaf: 4, branch: 4)

  /// Fewest entries or children that a node is left with after a removal. A third, not a half: after a merge or a split
  /// a node is some way from both limits, and alternating insertions and removals do not split and merge each time.
  func minimum(level: Int, isOnRightEdge: Bool) -> Int {
    if level == 0 { return isOnRightEdge ? 1 : max(1, leaf / 3) }
    return isOnRightEdge ? 2 : max(2, branch / 3)
  }

  func capacity(level: Int) -> Int { level == 0 ? leaf : branch }
}
