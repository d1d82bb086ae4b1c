internal import MartletValues

/// Lists: which elements stayed, moved, came and went.
///
/// First what has gone is removed, from the back, so that no index depends on a removal before it. Then the new list is built from the
/// front: an element that stays is passed, others are inserted or moved behind the last one that was dealt with. Last, elements that are
/// still there with another text are changed, at their new places.
extension PatchDiffer {
  /// Elements of the two lists, between what they share at both ends, that are compared. With more the list is set whole.
  private static let mostElements = 20_000
  /// Places that may be shifted by moves and inserts while the new list is built.
  private static let mostShifts = 1 << 21

  mutating func list(_ oldStart: Int, _ newStart: Int, _ window: Window) -> Outcome {
    var (oldPlace, newPlace) = (oldStart + 1, newStart + 1)
    var index = 0
    while let end = old.valueEnd(oldPlace, limit: window.sharedEnd), end < window.sharedEnd {
      if old.byte(end) == UInt8(ascii: "]") { return .ends(old: end + 1, new: end + 1 + window.shift) }
      guard old.byte(end) == UInt8(ascii: ",") else { return .opaque }
      index += 1
      oldPlace = end + 1
    }
    if index > 0 { newPlace = oldPlace + window.shift }

    var was: ContiguousArray<Range<Int>> = []
    var now: ContiguousArray<Range<Int>> = []
    while !window.isRestEqual(oldPlace, newPlace) {
      let isOldDone = old.byte(oldPlace) == UInt8(ascii: "]")
      let isNewDone = new.byte(newPlace) == UInt8(ascii: "]")
      if isOldDone, isNewDone {
        return change(at: index, was, now) ? .ends(old: oldPlace + 1, new: newPlace + 1) : .opaque
      }
      guard was.count + now.count < Self.mostElements else { return .opaque }
      // The one that is further from the end: so both come to the same place within the shared end.
      let isOldBehind = window.oldEnd - oldPlace >= window.newEnd - newPlace
      if isNewDone || (isOldBehind && !isOldDone) {
        guard let end = old.valueEnd(oldPlace), let next = Self.behind(end, old) else { return .opaque }
        was.append(oldPlace..<end)
        oldPlace = next
      } else {
        guard let end = new.valueEnd(newPlace), let next = Self.behind(end, new) else { return .opaque }
        now.append(newPlace..<end)
        newPlace = next
      }
    }
    return change(at: index, was, now) ? .rest : .opaque
  }

  /// Writes what makes of the elements from `base` on the others. False where there is too much to do.
  private mutating func change(
    at base: Int, _ was: ContiguousArray<Range<Int>>, _ now: ContiguousArray<Range<Int>>
  ) -> Bool {
    let shared = min(was.count, now.count)
    var head = 0
    while head < shared, isEqual(was[head], now[head]) { head += 1 }
    var tail = 0
    while tail < shared - head, isEqual(was[was.count - 1 - tail], now[now.count - 1 - tail]) { tail += 1 }
    return change(at: base + head, Array(was[head..<(was.count - tail)]), Array(now[head..<(now.count - tail)]))
  }

  private mutating func change(at base: Int, _ was: [Range<Int>], _ now: [Range<Int>]) -> Bool {
    guard !was.isEmpty || !now.isEmpty else { return true }
    let match = ElementMatch(was.map { key($0, old) }, now.map { key($0, new) })
    guard match.shifts <= Self.mostShifts else { return false }
    writeRemovals(match, at: base, was.count)
    if match.isRearranged { writePlaces(match, at: base, was.count, now) }
    for (index, source) in match.sources.enumerated() where source >= 0 && !isEqual(was[source], now[index]) {
      inside(base + index) { $0.change(was[source], now[index]) }
    }
    return true
  }

  private mutating func writeRemovals(_ match: ElementMatch, at base: Int, _ count: Int) {
    var end = count
    while end > 0 {
      guard !match.isUsed[end - 1] else {
        end -= 1
        continue
      }
      var start = end - 1
      while start > 0, !match.isUsed[start - 1] { start -= 1 }
      writeRemove(end - start, at: base + start)
      end = start
    }
  }

  /// Carries the moves and inserts out on a list of the old places while it writes them, so that each index is right by construction.
  private mutating func writePlaces(_ match: ElementMatch, at base: Int, _ count: Int, _ now: [Range<Int>]) {
    var current = (0..<count).filter { match.isUsed[$0] }
    current.reserveCapacity(now.count)
    // How many places of `current` are as they are to be, but for those that are yet to be moved away.
    var done = 0
    var index = 0
    while index < now.count {
      let source = match.sources[index]
      if source < 0 {
        let start = index
        while index < now.count, match.sources[index] < 0 { index += 1 }
        writeInsert(now[start..<index], at: base + done)
        current.insert(contentsOf: repeatElement(-1, count: index - start), at: done)
        done += index - start
        continue
      }
      if match.stays[index] {
        while current[done] != source { done += 1 }
        done += 1
      } else if let place = current.firstIndex(of: source) {
        current.remove(at: place)
        if place < done { done -= 1 }
        current.insert(source, at: done)
        if place != done { writeMove(from: base + place, to: base + done) }
        done += 1
      }
      index += 1
    }
  }

  private func isEqual(_ was: Range<Int>, _ now: Range<Int>) -> Bool {
    was.count == now.count && old.bytes(was).order(new.bytes(now)) == 0
  }

  // MARK: Keys

  /// What an element is recognised by: a document by its `_id`, anything else by its whole text.
  private func key(_ element: Range<Int>, _ scan: JSONScan) -> ElementKey {
    guard scan.byte(element.lowerBound) == UInt8(ascii: "{") else { return ElementKey(bytes: scan.bytes(element), isID: false) }
    var place = element.lowerBound + 1
    while let member = scan.member(place) {
      let name = scan.text(member.name)
      if name.isEqual(to: "_id"), scan.byte(member.value) == UInt8(ascii: "\""), let end = scan.valueEnd(member.value) {
        return ElementKey(bytes: scan.bytes(member.value..<end), isID: true)
      }
      // Names stand in their order, and few come before this one.
      guard let first = name.first, first <= UInt8(ascii: "_"), let end = scan.valueEnd(member.value), scan.byte(end) == UInt8(ascii: ",")
      else { break }
      place = end + 1
    }
    return ElementKey(bytes: scan.bytes(element), isID: false)
  }
}
