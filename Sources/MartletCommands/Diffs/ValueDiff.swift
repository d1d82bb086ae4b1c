import MartletValues

/// What turns one value into another: a list of changes, each at a path.
///
/// - Of two objects, the fields that were added, removed, or changed, and within these in turn.
/// - Of two lists of documents (objects that all have an `_id` of their own), the documents: one that was added, removed, moved, or changed in
///   some fields. A path names it by its id, so that a change stays readable wherever the document stands.
/// - Of two other lists, the elements between the common beginning and the common end, by their places.
/// - Anything else is replaced.
///
/// Carried out one after another, the changes make the new value of the old one. A document that is moved is taken out and put in at its place
/// among the others. As few as can be are called moved: those outside of the longest piece that kept its order.
///
/// Costs: O(n log n) for a list of n documents and O(n) for each that came or moved; O(size) for the rest.
struct ValueDiff: Hashable, Sendable {
  enum Step: Hashable, Sendable {
    case field(String)
    case index(Int)
    /// The document of a list that has this `_id`.
    case document(String)
  }

  enum Change: Hashable, Sendable {
    /// A new field or element. A document has the place that it gets.
    case added(Value, at: Int?)
    case removed(Value)
    case set(from: Value, to: Value)
    /// A document that is another's neighbour now.
    case moved(at: Int)
  }

  struct Entry: Hashable, Sendable {
    var path: [Step]
    var change: Change
  }

  private(set) var entries: [Entry] = []

  init(from old: Value, to new: Value) { compare(old, new, []) }

  private mutating func note(_ path: [Step], _ change: Change) { entries.append(Entry(path: path, change: change)) }

  private mutating func compare(_ old: Value, _ new: Value, _ path: [Step]) {
    guard old != new else { return }
    switch (old, new) {
    case (.object(let old), .object(let new)): compare(old, new, path)
    case (.array(let old), .array(let new)):
      // An empty list is one of documents as well as of anything else.
      if let oldIDs = Self.ids(of: old), let newIDs = Self.ids(of: new) {
        compare(old, oldIDs, new, newIDs, path)
      } else {
        compare(old, new, path)
      }
    default: note(path, .set(from: old, to: new))
    }
  }

  private mutating func compare(_ old: ObjectValue, _ new: ObjectValue, _ path: [Step]) {
    for (name, value) in old where new[name] == nil { note(path + [.field(name)], .removed(value)) }
    for (name, value) in new {
      let path = path + [.field(name)]
      if let before = old[name] { compare(before, value, path) } else { note(path, .added(value, at: nil)) }
    }
  }

  private mutating func compare(_ old: [Value], _ new: [Value], _ path: [Step]) {
    let shorter = min(old.count, new.count)
    var start = 0
    while start < shorter, old[start] == new[start] { start += 1 }
    var end = 0
    while end < shorter - start, old[old.count - 1 - end] == new[new.count - 1 - end] { end += 1 }
    let both = shorter - end
    for index in start..<both { compare(old[index], new[index], path + [.index(index)]) }
    // From the last on, so that each has its place when it is its turn.
    for index in (both..<max(both, old.count - end)).reversed() { note(path + [.index(index)], .removed(old[index])) }
    for index in both..<max(both, new.count - end) { note(path + [.index(index)], .added(new[index], at: nil)) }
  }

  private mutating func compare(_ old: [Value], _ oldIDs: [String], _ new: [Value], _ newIDs: [String], _ path: [Step]) {
    let places = Dictionary(uniqueKeysWithValues: zip(oldIDs, old.indices))
    let isKept = Set(newIDs)
    for (id, value) in zip(oldIDs, old) where !isKept.contains(id) { note(path + [.document(id)], .removed(value)) }
    let inPlace = Set(LongestRise.of(newIDs.compactMap { places[$0] }))
    // The list as it is after each change: what is to move is still where it was, so a place is found behind the document that comes before.
    var list = oldIDs.filter(isKept.contains)
    var place = 0
    for (index, id) in newIDs.enumerated() {
      let path = path + [.document(id)]
      if let oldPlace = places[id], inPlace.contains(oldPlace) {
        place = list[place...].firstIndex(of: id)! + 1
        compare(old[oldPlace], new[index], path)
        continue
      }
      if let oldPlace = places[id] {
        let before = list.firstIndex(of: id)!
        list.remove(at: before)
        if before < place { place -= 1 }
        note(path, .moved(at: place))
        compare(old[oldPlace], new[index], path)
      } else {
        note(path, .added(new[index], at: place))
      }
      list.insert(id, at: place)
      place += 1
    }
  }

  /// Nil if an element has no `_id`, or one that another has too.
  static func ids(of elements: [Value]) -> [String]? {
    var seen: Set<String> = []
    var ids: [String] = []
    for element in elements {
      guard case .string(let id)? = element["_id"], seen.insert(id).inserted else { return nil }
      ids.append(id)
    }
    return ids
  }
}

/// The longest part of a list of different numbers that rises, left to right: what kept its order.
enum LongestRise {
  static func of(_ numbers: [Int]) -> [Int] {
    // `ends[n]` is where the rise of n + 1 numbers ends that ends lowest; each number knows which stands before it in its rise.
    var ends: [Int] = []
    var before: [Int?] = []
    for (index, number) in numbers.enumerated() {
      var (low, high) = (0, ends.count)
      while low < high {
        let middle = (low + high) / 2
        if numbers[ends[middle]] < number { low = middle + 1 } else { high = middle }
      }
      before.append(low > 0 ? ends[low - 1] : nil)
      if low == ends.count { ends.append(index) } else { ends[low] = index }
    }
    var rise: [Int] = []
    var next = ends.last
    while let index = next {
      rise.append(numbers[index])
      next = before[index]
    }
    return rise.reversed()
  }
}
