/// One node of an `OrderedTree`: a single allocation, entries or branches in its tail.
///
/// A node written the plain way (a class with an array of keys and an array of children) costs three allocations and
/// two dependent loads before the first key is compared, and each access to its stored properties is checked for
/// exclusivity. Here all is behind one pointer, at offsets that follow from the capacity:
///
///     header │ count, capacity, level                                  8 bytes
///     leaf   │ entries (key, payload) × capacity                       level 0
///     branch │ keys      × capacity │ children × capacity │            level > 0
///            │ counts    × capacity │ sums     × capacity (only if Payload.Summary.isKept)
///
/// In a leaf a payload lies next to its key, for whoever finds one wants the other, and in a large tree each cache line
/// of a leaf is a miss. A branch node is searched far more often than it is changed, hence its columns: the keys lie
/// close together, and counts and sums add up in vector registers.
///
/// A branch node with n children has n − 1 keys: `keys[i]` is greater than all below `children[i]` and at most the
/// least below `children[i + 1]`. A separator may outlive the entry that it was copied from.
///
/// The class owns the memory and knows how to destroy it; everything else is in `TreeNodeView`.
final class TreeNode<Key: Comparable & Sendable, Payload: TreePayload>: ManagedBuffer<TreeNodeHeader, UInt64> {
  typealias View = TreeNodeView<Key, Payload>

  static func make(level: Int, capacity: Int) -> TreeNode {
    let words = View.wordsOfTail(level: level, capacity: capacity)
    let buffer = create(minimumCapacity: words) { _ in
      TreeNodeHeader(count: 0, capacity: UInt16(capacity), level: UInt16(level))
    }
    // `create`, called on this class, makes an instance of this class.
    return unsafeDowncast(buffer, to: TreeNode.self)
  }

  deinit {
    View(self).destroyContents()
  }
}

struct TreeNodeHeader {
  /// Entries of a leaf, children of a branch node.
  var count: UInt32
  let capacity: UInt16
  /// 0 for a leaf; all leaves are equally deep.
  let level: UInt16
}

/// An unowned look at a node: one pointer, free to copy, without reference counting.
///
/// Sound as long as some owner (the tree whose method is running, or a cursor's snapshot) keeps the node alive for the
/// view's use, and as long as only views got through `OrderedTree.uniqueView(of:)` write.
struct TreeNodeView<Key: Comparable & Sendable, Payload: TreePayload> {
  typealias Node = TreeNode<Key, Payload>
  typealias Entry = (key: Key, payload: Payload)
  typealias Summary = Payload.Summary

  let header: UnsafeMutablePointer<TreeNodeHeader>

  @inline(__always)
  init(_ node: Node) {
    header = node.withUnsafeMutablePointerToHeader { $0 }
  }

  /// The node in a slot, without the retain and release that a load of the reference may bring.
  @inline(__always)
  init(slot: UnsafeMutablePointer<Node>) {
    let unowned = UnsafeRawPointer(slot).load(as: Unmanaged<Node>.self)
    header = unowned._withUnsafeGuaranteedRef { $0.withUnsafeMutablePointerToHeader { $0 } }
  }

  @inline(__always) var count: Int { Int(header.pointee.count) }
  @inline(__always) var capacity: Int { Int(header.pointee.capacity) }
  @inline(__always) var level: Int { Int(header.pointee.level) }
  @inline(__always) var isLeaf: Bool { header.pointee.level == 0 }
  @inline(__always) var isFull: Bool { count == capacity }

  @inline(__always)
  func setCount(_ count: Int) { header.pointee.count = UInt32(truncatingIfNeeded: count) }
}

// MARK: Columns

extension TreeNodeView {
  /// Keys and payloads aligned to at most a word: checked once for each node made.
  static func wordsOfTail(level: Int, capacity: Int) -> Int {
    precondition(MemoryLayout<Key>.alignment <= 8 && MemoryLayout<Payload>.alignment <= 8, "over-aligned tree entries")
    precondition(MemoryLayout<Summary>.alignment <= 8, "over-aligned tree summaries")
    if level == 0 { return (capacity * MemoryLayout<Entry>.stride + 7) / 8 }
    let sum = Summary.isKept ? MemoryLayout<Summary>.stride : 0
    return (keyColumnBytes(capacity) + capacity * (16 + sum) + 7) / 8
  }

  @inline(__always)
  private static func keyColumnBytes(_ capacity: Int) -> Int {
    (capacity * MemoryLayout<Key>.stride + 7) & ~7
  }

  @inline(__always)
  private var tail: UnsafeMutableRawPointer { UnsafeMutableRawPointer(header + 1) }

  @inline(__always)
  private var secondColumn: UnsafeMutableRawPointer { tail + Self.keyColumnBytes(capacity) }

  /// Of a leaf.
  @inline(__always)
  var entries: UnsafeMutablePointer<Entry> { tail.assumingMemoryBound(to: Entry.self) }

  /// Of a branch node, one less than children; as all columns below.
  @inline(__always)
  var keys: UnsafeMutablePointer<Key> { tail.assumingMemoryBound(to: Key.self) }

  @inline(__always)
  var children: UnsafeMutablePointer<Node> { secondColumn.assumingMemoryBound(to: Node.self) }

  @inline(__always)
  var counts: UnsafeMutablePointer<Int> { (secondColumn + capacity * 8).assumingMemoryBound(to: Int.self) }

  @inline(__always)
  var sums: UnsafeMutablePointer<Summary> { (secondColumn + capacity * 16).assumingMemoryBound(to: Summary.self) }

  @inline(__always)
  func child(_ index: Int) -> TreeNodeView { TreeNodeView(slot: children + index) }

  func destroyContents() {
    let count = count
    guard count > 0 else { return }
    if isLeaf {
      entries.deinitialize(count: count)
    } else {
      keys.deinitialize(count: count - 1)
      children.deinitialize(count: count)
      if Summary.isKept { sums.deinitialize(count: count) }
    }
  }

  /// A node of the same contents, whose children or payloads are shared with this one.
  func copy() -> Node {
    let node = Node.make(level: level, capacity: capacity)
    let copy = TreeNodeView(node)
    let count = count
    if isLeaf {
      Self.copy(entries, to: copy.entries, count)
    } else {
      Self.copy(keys, to: copy.keys, count - 1)
      Self.copy(children, to: copy.children, count)
      Self.copy(counts, to: copy.counts, count)
      if Summary.isKept { Self.copy(sums, to: copy.sums, count) }
    }
    copy.setCount(count)
    return node
  }

  /// As `initialize(from:count:)`, which for other than trivial types would call the runtime for each element.
  @inline(__always)
  private static func copy<T>(_ source: UnsafeMutablePointer<T>, to target: UnsafeMutablePointer<T>, _ count: Int) {
    for index in 0..<count { (target + index).initialize(to: source[index]) }
  }
}

// MARK: Searching

extension TreeNodeView {
  /// Entries of this leaf whose key is less than `key`: the place where `key` is or belongs.
  @inline(__always)
  func lowerBound(_ key: Key) -> Int { lowerBound(key, among: count) }

  /// The same for who already knows the count of this leaf, from its parent, and need not wait for its header.
  @inline(__always)
  func lowerBound(_ key: Key, among count: Int) -> Int {
    let entries = entries
    return Self.partitionPoint(count) { entries[$0].key < key }
  }

  /// The child below which `key` is or belongs: the number of separators that are at most `key`.
  @inline(__always)
  func childIndex(for key: Key) -> Int {
    let keys = keys
    return Self.partitionPoint(count &- 1) { !(key < keys[$0]) }
  }

  /// How many of the indices 0..<length are `before`, given that these come first.
  ///
  /// Halving would wait in turn for five cache lines of a leaf, and the processor would guess half of the five jumps
  /// wrongly. Here three probes at a time are independent of each other, so their lines are fetched at once, and they
  /// are counted rather than jumped on: about twice as many comparisons in half the time.
  @inline(__always)
  static func partitionPoint(_ length: Int, _ before: (Int) -> Bool) -> Int {
    var base = 0
    var length = length
    while length > 8 {
      let quarter = length >> 2
      let first = before(base &+ quarter &- 1) ? quarter : 0
      let second = before(base &+ 2 &* quarter &- 1) ? quarter : 0
      let third = before(base &+ 3 &* quarter &- 1) ? quarter : 0
      base = base &+ first &+ second &+ third
      // The last part is the longest. For the others this keeps a few too many, which are not `before`.
      length = length &- 3 &* quarter
    }
    var result = base
    for index in base..<(base &+ max(length, 0)) {
      result = result &+ (before(index) ? 1 : 0)
    }
    return result
  }

  /// The entry of `key` in this leaf, or nil.
  @inline(__always)
  func entryIndex(of key: Key) -> Int? {
    let count = count
    let index = lowerBound(key, among: count)
    return index < count && !(key < entries[index].key) ? index : nil
  }
}

// MARK: Totals

extension TreeNodeView {
  /// Entries below this node.
  @inline(__always)
  var subtreeCount: Int { isLeaf ? count : countOfChildren(0..<count) }

  /// The sum of all summands below this node.
  @inline(__always)
  var subtreeSum: Summary { isLeaf ? sumOfEntries(0..<count) : sumOfChildren(0..<count) }

  @inline(__always)
  func countOfChildren(_ range: Range<Int>) -> Int {
    let counts = counts
    var total = 0
    for index in range { total &+= counts[index] }
    return total
  }

  /// Of one entry or more.
  func sumOfEntries(_ range: Range<Int>) -> Summary {
    let entries = entries
    return Summary.total(of: range) { entries[$0].payload.summand }
  }

  /// Of one child or more.
  func sumOfChildren(_ range: Range<Int>) -> Summary {
    let sums = sums
    return Summary.total(of: range) { sums[$0] }
  }
}
