internal import MartletValues

/// What a list's element is recognised by, as bytes of one of the texts.
struct ElementKey: Hashable {
  let bytes: UnsafeRawBufferPointer
  let isID: Bool

  static func == (left: ElementKey, right: ElementKey) -> Bool { left.isID == right.isID && left.bytes.order(right.bytes) == 0 }

  func hash(into hasher: inout Hasher) { hasher.combine(bytes: bytes) }
}

/// Which elements of a new list were in the old one, and which of them can stay where they are.
///
/// Elements with equal keys are matched, the first with the first where a key stands several times. Of those that are matched,
/// as many as can be stay: the longest run of them that is in one order in both lists. What is then left between two that
/// stay, an element that went beside one that came, counts as one that stays and changes.
///
/// **Costs.** A hash for each element, and O(n log n) where the order has changed.
struct ElementMatch {
  /// For each new element its place in the old list; −1 for one that came.
  private(set) var sources: [Int]
  /// For each new element whether it stays, in the order of the others that do.
  private(set) var stays: [Bool]
  /// For each old element whether it is in the new list.
  private(set) var isUsed: [Bool]
  /// Whether there is anything to be inserted or moved.
  private(set) var isRearranged = false
  /// How many places are shifted by building the new list, at most.
  private(set) var shifts = 0

  init(_ old: [ElementKey], _ new: [ElementKey]) {
    sources = Array(repeating: -1, count: new.count)
    stays = Array(repeating: false, count: new.count)
    isUsed = Array(repeating: false, count: old.count)
    matchKeys(old, new)
    keepLongestRun()
    matchGaps()
    var moves = 0
    for index in new.indices where !stays[index] {
      isRearranged = true
      // Elements that came side by side are inserted at once.
      if sources[index] >= 0 || index == 0 || stays[index - 1] || sources[index - 1] >= 0 { moves += 1 }
    }
    shifts = moves * max(old.count, new.count)
  }

  private mutating func matchKeys(_ old: [ElementKey], _ new: [ElementKey]) {
    var first: [ElementKey: Int] = [:]
    first.reserveCapacity(old.count)
    // For each old element the next one with its key.
    var next = Array(repeating: -1, count: old.count)
    for place in old.indices.reversed() {
      if let later = first.updateValue(place, forKey: old[place]) { next[place] = later }
    }
    for index in new.indices {
      guard let place = first[new[index]], place >= 0 else { continue }
      sources[index] = place
      isUsed[place] = true
      first[new[index]] = next[place]
    }
  }

  /// The longest increasing subsequence of `sources`, by patience: `ends[l]` is the element on which the best run of l + 1 ends.
  private mutating func keepLongestRun() {
    var ends: [Int] = []
    var before = Array(repeating: -1, count: sources.count)
    for index in sources.indices where sources[index] >= 0 {
      var low = 0
      var high = ends.count
      // Most often it goes on where the longest ends.
      if let last = ends.last, sources[last] < sources[index] { low = high }
      while low < high {
        let middle = (low + high) / 2
        if sources[ends[middle]] < sources[index] { low = middle + 1 } else { high = middle }
      }
      if low > 0 { before[index] = ends[low - 1] }
      if low == ends.count { ends.append(index) } else { ends[low] = index }
    }
    var index = ends.last ?? -1
    while index >= 0 {
      stays[index] = true
      index = before[index]
    }
  }

  private mutating func matchGaps() {
    var place = 0
    var gap = 0
    for end in 0...sources.count where end == sources.count || stays[end] {
      let limit = end == sources.count ? isUsed.count : sources[end]
      for index in gap..<end where sources[index] < 0 {
        while place < limit, isUsed[place] { place += 1 }
        guard place < limit else { break }
        sources[index] = place
        stays[index] = true
        isUsed[place] = true
      }
      place = limit + 1
      gap = end + 1
    }
  }
}
