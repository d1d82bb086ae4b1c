/// Putting gathered changes in the order of their keys.
///
/// Comparing pairs would go to two changes for each comparison, fifteen times a change, in megabytes of memory that are in no cache. But the
/// keys of one index are much alike: those of balances and creation times, 25 bytes with their length and tie, differ in some 40 bits. So first
/// those bits are found in which any two keys differ, and then, 48 at a time, they are laid together with the change's position in one word.
/// Those words are sorted byte by byte, counting how often each value occurs and not comparing at all: a few nanoseconds a change and byte, in
/// half a megabyte.
///
/// Long keys that begin alike end up side by side, and are put in order by comparing them. O(n) but for those.
extension GatheredChanges {
  /// What a position has room for.
  static var mostInOrder: Int { 1 << 16 }

  /// Fewer are sorted sooner by comparing.
  private static var fewestToCount: Int { 256 }

  /// The positions of the changes in the ascending order of their keys; of those with one key only the last.
  func positionsInOrder() -> ContiguousArray<UInt16> {
    precondition(count <= Self.mostInOrder, "too many changes to put in order at once")
    return changes.withUnsafeBufferPointer { changes in
      withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 2 * changes.count) { memory in
        let items = memory.baseAddress!
        for position in changes.indices { items[position] = UInt64(truncatingIfNeeded: position) }
        if changes.count < Self.fewestToCount {
          compareAndSort(items, 0..<changes.count, changes)
          return lastOfEachKey(items) { hasSameKey(changes[Self.position($0)], changes[Self.position($1)]) }
        }
        let bits = DifferingBits(changes)
        let sorted = Self.countAndSort(items, items + changes.count, changes, bits)
        if !longKeys.isEmpty { sortLongKeys(sorted, changes) }
        return bits.fitInOneItem && longKeys.isEmpty
          ? lastOfEachKey(sorted) { $0 >> 16 == $1 >> 16 }
          : lastOfEachKey(sorted) { hasSameKey(changes[Self.position($0)], changes[Self.position($1)]) }
      }
    }
  }

  @inline(__always)
  private static func position(_ item: UInt64) -> Int { Int(truncatingIfNeeded: item & 0xFFFF) }

  // MARK: Counting

  /// Puts items in the order of their changes' keys, as far as those are short, with equal keys in the order in which they came. Answers
  /// which of the two places holds the result.
  private static func countAndSort(
    _ items: UnsafeMutablePointer<UInt64>, _ spare: UnsafeMutablePointer<UInt64>, _ changes: UnsafeBufferPointer<Change>,
    _ bits: DifferingBits
  ) -> UnsafeMutablePointer<UInt64> {
    var (source, target) = (items, spare)
    var done = 0
    while done < bits.width {
      for index in changes.indices {
        let position = position(source[index])
        source[index] = bits.of(changes[position], from: done) << 16 | UInt64(truncatingIfNeeded: position)
      }
      let width = min(DifferingBits.perItem, bits.width - done)
      for shift in stride(from: 16, to: 16 + width, by: 8) {
        sortByByte(at: UInt64(shift), source, target, changes.count)
        swap(&source, &target)
      }
      done += width
    }
    return source
  }

  private static func sortByByte(
    at shift: UInt64, _ source: UnsafeMutablePointer<UInt64>, _ target: UnsafeMutablePointer<UInt64>, _ count: Int
  ) {
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 256) { places in
      places.initialize(repeating: 0)
      for index in 0..<count { places[Int(source[index] &>> shift & 0xFF)] &+= 1 }
      var before: UInt32 = 0
      for value in 0..<256 {
        let occurrences = places[value]
        places[value] = before
        before &+= occurrences
      }
      for index in 0..<count {
        let item = source[index]
        let value = Int(item &>> shift & 0xFF)
        target[Int(places[value])] = item
        places[value] &+= 1
      }
    }
  }

  /// The bits in which the keys of changes differ: of each of a key's four words those from the lowest to the highest that isn't the same
  /// in all.
  private struct DifferingBits {
    struct Column {
      let shift: UInt64
      let mask: UInt64
      /// How many bits of lesser columns stand below.
      let place: Int

      init(_ differing: UInt64, below width: inout Int) {
        let bits = differing == 0 ? 0 : 64 - differing.leadingZeroBitCount - differing.trailingZeroBitCount
        shift = UInt64(differing.trailingZeroBitCount)
        mask = .max >> (64 - bits)
        place = width
        width += bits
      }

      @inline(__always)
      func bits(of word: UInt64, from start: Int) -> UInt64 { (word &>> shift & mask) << (place - start) }
    }

    let high: Column
    let low: Column
    let length: Column
    let tie: Column
    let width: Int

    static var perItem: Int { 48 }
    var fitInOneItem: Bool { width <= Self.perItem }

    init(_ changes: UnsafeBufferPointer<Change>) {
      let first = changes[0]
      var (high, low, length, tie): (UInt64, UInt64, UInt32, UInt64) = (0, 0, 0, 0)
      for change in changes {
        high |= change.high ^ first.high
        low |= change.low ^ first.low
        length |= change.length ^ first.length
        tie |= change.tie ^ first.tie
      }
      var width = 0
      self.tie = Column(tie, below: &width)
      self.length = Column(UInt64(length), below: &width)
      self.low = Column(low, below: &width)
      self.high = Column(high, below: &width)
      self.width = width
    }

    /// The lowest 48 of the bits from `start` on.
    @inline(__always)
    func of(_ change: Change, from start: Int) -> UInt64 {
      let bits =
        high.bits(of: change.high, from: start) | low.bits(of: change.low, from: start)
        | length.bits(of: UInt64(change.length), from: start) | tie.bits(of: change.tie, from: start)
      return bits & 0xFFFF_FFFF_FFFF
    }
  }

  // MARK: Comparing

  private func compareAndSort(
    _ items: UnsafeMutablePointer<UInt64>, _ range: Range<Int>, _ changes: UnsafeBufferPointer<Change>
  ) {
    var items = UnsafeMutableBufferPointer(start: items + range.lowerBound, count: range.count)
    longKeys.withUnsafeBufferPointer { longKeys in
      items.sort { left, right in
        let (leftChange, rightChange) = (changes[Self.position(left)], changes[Self.position(right)])
        if leftChange.high != rightChange.high { return leftChange.high < rightChange.high }
        if leftChange.low != rightChange.low { return leftChange.low < rightChange.low }
        if leftChange.length != rightChange.length { return leftChange.length < rightChange.length }
        if leftChange.isLong {
          // Through the pointer, since counting references would cost more than comparing.
          let (leftKey, rightKey) = (Int(leftChange.longKey), Int(rightChange.longKey))
          if longKeys[leftKey] != longKeys[rightKey] { return longKeys[leftKey] < longKeys[rightKey] }
        } else if leftChange.tie != rightChange.tie {
          return leftChange.tie < rightChange.tie
        }
        return Self.position(left) < Self.position(right)
      }
    }
  }

  /// Sorts each run of long keys that begin alike.
  private func sortLongKeys(_ items: UnsafeMutablePointer<UInt64>, _ changes: UnsafeBufferPointer<Change>) {
    var start = 0
    while start < changes.count {
      let first = changes[Self.position(items[start])]
      var end = start + 1
      if first.isLong {
        while end < changes.count {
          let next = changes[Self.position(items[end])]
          guard next.isLong, next.high == first.high, next.low == first.low else { break }
          end += 1
        }
        if end - start > 1 { compareAndSort(items, start..<end, changes) }
      }
      start = end
    }
  }

  private func hasSameKey(_ left: Change, _ right: Change) -> Bool {
    guard left.high == right.high, left.low == right.low, left.length == right.length, left.tie == right.tie else { return false }
    return !left.isLong || longKeys[Int(left.longKey)] == longKeys[Int(right.longKey)]
  }

  @inline(__always)
  private func lastOfEachKey(
    _ items: UnsafeMutablePointer<UInt64>, _ haveSameKey: (UInt64, UInt64) -> Bool
  ) -> ContiguousArray<UInt16> {
    ContiguousArray(unsafeUninitializedCapacity: count) { positions, kept in
      for index in 0..<count where index + 1 == count || !haveSameKey(items[index], items[index + 1]) {
        positions.initializeElement(at: kept, to: UInt16(truncatingIfNeeded: items[index]))
        kept += 1
      }
    }
  }
}
