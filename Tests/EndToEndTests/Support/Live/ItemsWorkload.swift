import TestSupport

/// What clients do to the items, and what they watch: few keys and groups, so that everybody meets everybody.
struct ItemsWorkload {
  private var random: TestRandom
  /// Pages' ends, and documents' ids, as clients have met them.
  var places: [ItemsModel.Place] = []
  var ids: [String] = []

  static let keys = 40
  static let groups = 4

  init(seed: UInt64) { random = TestRandom(seed: seed) }

  mutating func operation() -> ItemsModel.Operation {
    let key = random.number(0..<Self.keys)
    switch random.number(0..<20) {
    case 0..<5:
      // Longer ones now and then, so that patches are worth it.
      let note = String(repeating: "n", count: random.oneIn(4) ? random.number(0..<200) : random.number(0..<8))
      return .put(key: key, group: random.number(0..<Self.groups), score: Double(random.number(0..<100)), note: note)
    case 5..<9: return .adjust(key: key, by: Double(random.number(-20..<30)))
    case 9..<14:
      let to = (key + random.number(1..<Self.keys)) % Self.keys
      return .transfer(from: key, to: to, amount: Double(random.number(1..<40)), isLong: random.oneIn(8))
    case 14:
      let from = random.number(0..<Self.groups)
      return .regroup(from: from, to: (from + 1) % Self.groups, most: random.number(1..<4), isLong: random.oneIn(4))
    case 15..<18: return .remove(key: key)
    case 18: return .entitle(group: random.number(0..<Self.groups), title: "title \(random.number(0..<5))")
    default: return .touch
    }
  }

  mutating func call() -> ItemsModel.Call {
    let group = random.number(0..<Self.groups)
    switch random.number(0..<16) {
    case 0, 1: return .item(key: random.number(0..<Self.keys))
    case 2, 3: return ids.isEmpty ? .item(key: 0) : .get(id: random.element(of: ids))
    case 4, 5:
      let from = random.number(-20..<80)
      return .range(group: group, from: Double(from), until: Double(from + random.number(1..<60)))
    case 6, 7:
      let ends = places.shuffled(using: &random).prefix(2).sorted { ($0.key, $0.creationTime) < ($1.key, $1.creationTime) }
      return .page(after: random.oneIn(2) ? ends.first : nil, upTo: random.oneIn(2) ? ends.last : nil)
    case 8, 9: return .statistics(group: group)
    case 10, 11: return .top(random.number(1..<12))
    case 12: return .joined(group: group)
    case 13, 14: return .guarded(group: group, limit: Double(random.number(0..<800)))
    default: return .slow(group: group)
    }
  }
}
