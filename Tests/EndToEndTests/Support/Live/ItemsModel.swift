import Histories
import MartletValues

/// What the functions of `live:` do, once more and as naively as possible: an array, searched and sorted for each query.
struct ItemsModel: LiveModel {
  struct Item: Sendable {
    var key: Int
    var group: Int
    var score: Double
    var note: String
    let id: String
    let creationTime: Double
    /// As the server writes it.
    var json: String

    init(key: Int, group: Int, score: Double, note: String, id: String, creationTime: Double) {
      self.key = key
      self.group = group
      self.score = score
      self.note = note
      self.id = id
      self.creationTime = creationTime
      json = ""
      write()
    }

    mutating func write() {
      let document: Value = [
        "_id": .string(id), "_creationTime": .float64(creationTime), "key": .float64(Double(key)), "group": .float64(Double(group)),
        "score": .float64(score), "note": .string(note),
      ]
      json = document.json
    }
  }

  enum Operation: Hashable, Sendable {
    case put(key: Int, group: Int, score: Double, note: String)
    case adjust(key: Int, by: Double)
    case transfer(from: Int, to: Int, amount: Double, isLong: Bool)
    case regroup(from: Int, to: Int, most: Int, isLong: Bool)
    case remove(key: Int)
    case entitle(group: Int, title: String)
    case touch
  }

  /// A place in the order of keys, and the cursor that leads there.
  struct Place: Hashable, Sendable {
    var key: Int
    var creationTime: Double
    var cursor: String
  }

  enum Call: Hashable, Sendable {
    case item(key: Int)
    case get(id: String)
    case range(group: Int, from: Double, until: Double)
    /// Of all items by their keys: those after one place, up to another.
    case page(after: Place?, upTo: Place?)
    case statistics(group: Int)
    case top(Int)
    case joined(group: Int)
    case guarded(group: Int, limit: Double)
    case slow(group: Int)
    case bulky(group: Int)
  }

  private(set) var items: [Item] = []
  private var titles: [Int: String] = [:]

  // MARK: Writes

  private mutating func change(_ key: Int, _ body: (inout Item) -> Void) {
    guard let place = items.firstIndex(where: { $0.key == key }) else { return }
    body(&items[place])
    items[place].write()
  }

  private func held(by key: Int) -> Double? { items.first { $0.key == key }?.score }

  mutating func apply(_ operation: Operation, answered answer: String) -> String? {
    let right: String
    switch operation {
    case .put(let key, let group, let score, let note):
      if held(by: key) == nil {
        guard let document = try? Value(json: answer), let id = document["_id"]?.text, let time = document["_creationTime"]?.number else {
          return "it is a new document"
        }
        if items.contains(where: { $0.id == id || $0.creationTime == time }) { return "another document has this id, or this time" }
        items.append(Item(key: key, group: group, score: score, note: note, id: id, creationTime: time))
      } else {
        change(key) {
          $0.group = group
          $0.score = score
          $0.note = note
        }
      }
      right = items.first { $0.key == key }!.json
    case .adjust(let key, let amount):
      guard held(by: key) != nil else { return "there is no such item" }
      change(key) { $0.score += amount }
      right = Self.list([held(by: key)!])
    case .transfer(let from, let to, let amount, _):
      guard let source = held(by: from), let target = held(by: to), source >= amount else { return "it can't be done" }
      change(from) { $0.score -= amount }
      change(to) { $0.score += amount }
      right = "[" + Self.list([source - amount, target + amount]) + "]"
    case .regroup(let from, let to, let most, _):
      let moved = sorted(group: from).prefix(most)
      for item in moved { change(item.key) { $0.group = to } }
      right = "\(moved.count)"
    case .remove(let key):
      guard held(by: key) != nil else { return "there is no such item" }
      items.removeAll { $0.key == key }
      right = "null"
    case .entitle(let group, let title):
      titles[group] = title
      right = "null"
    case .touch: right = "null"
    }
    return answer == right ? nil : "right is \(right)"
  }

  private static func list(_ numbers: [Double]) -> String { numbers.map { Value.float64($0).json }.joined(separator: ",") }

  // MARK: Reads

  private func sorted(group: Int) -> [Item] {
    items.filter { $0.group == group }.sorted { ($0.score, $0.creationTime) < ($1.score, $1.creationTime) }
  }

  func outcome(of call: Call) -> LiveOutcome {
    switch call {
    case .item(let key): return .value(items.first { $0.key == key }?.json ?? "null")
    case .get(let id): return items.first { $0.id == id }.map { .value($0.json) } ?? .failed("not_found null")
    case .range(let group, let from, let until):
      return Self.documents(sorted(group: group).filter { from <= $0.score && $0.score < until })
    case .page(let start, let end):
      let page = items.filter { item in
        (start.map { ($0.key, $0.creationTime) < (item.key, item.creationTime) } ?? true)
          && (end.map { (item.key, item.creationTime) <= ($0.key, $0.creationTime) } ?? true)
      }
      return Self.documents(page.sorted { $0.key < $1.key })
    case .statistics(let group):
      let scores = sorted(group: group).map(\.score)
      return .value("[" + Self.list([Double(scores.count), scores.reduce(0, +), scores.first ?? -1, scores.last ?? -1]) + "]")
    case .top(let count):
      return Self.documents(items.sorted { ($0.score, $0.creationTime) > ($1.score, $1.creationTime) }.prefix(count))
    case .joined(let group):
      let rows = sorted(group: group).map { "[" + Self.list([Double($0.key), $0.score]) + "]" }
      return .value("[" + ([titles[group].map { Value.string($0).json } ?? "null"] + rows).joined(separator: ",") + "]")
    case .guarded(let group, let limit):
      let sum = sum(group)
      return sum <= limit ? .value(Self.list([sum])) : .failed("application " + Self.list([sum]))
    case .slow(let group): return Self.documents(sorted(group: group))
    case .bulky(let group): return .value("[" + Self.list([sum(group)]) + ",\"" + Self.bulk + "\"]")
    }
  }

  private static let bulk = String(repeating: "x", count: 100_000)

  private func sum(_ group: Int) -> Double { items.filter { $0.group == group }.reduce(0) { $0 + $1.score } }

  private static func documents(_ items: some Sequence<Item>) -> LiveOutcome {
    .value("[" + items.map(\.json).joined(separator: ",") + "]")
  }
}

extension LiveOutcome {
  static func failed(_ error: Value) -> LiveOutcome { .failed("\(error["code"]?.text ?? "") \(error["data"]?.json ?? "null")") }
}

// MARK: - On the wire

extension ItemsModel.Operation {
  var function: (name: String, arguments: ObjectValue) {
    func number(_ value: Int) -> Value { .float64(Double(value)) }
    switch self {
    case .put(let key, let group, let score, let note):
      return ("live:put", ["key": number(key), "group": number(group), "score": .float64(score), "note": .string(note)])
    case .adjust(let key, let amount): return ("live:adjust", ["key": number(key), "by": .float64(amount)])
    case .transfer(let from, let to, let amount, let isLong):
      return ("live:transfer", ["from": number(from), "to": number(to), "amount": .float64(amount), "isLong": .boolean(isLong)])
    case .regroup(let from, let to, let most, let isLong):
      return ("live:regroup", ["from": number(from), "to": number(to), "most": number(most), "isLong": .boolean(isLong)])
    case .remove(let key): return ("live:remove", ["key": number(key)])
    case .entitle(let group, let title): return ("live:entitle", ["group": number(group), "title": .string(title)])
    case .touch: return ("live:touch", [:])
    }
  }
}

extension ItemsModel.Call {
  var function: (name: String, arguments: ObjectValue) {
    func number(_ value: Int) -> Value { .float64(Double(value)) }
    switch self {
    case .item(let key): return ("live:item", ["key": number(key)])
    case .get(let id): return ("live:get", ["id": .string(id)])
    case .range(let group, let from, let until):
      return ("live:range", ["group": number(group), "from": .float64(from), "until": .float64(until)])
    case .page(let start, let end):
      var page: ObjectValue = ["numItems": 1_000]
      page["cursor"] = start.map { .string($0.cursor) }
      page["endCursor"] = end.map { .string($0.cursor) }
      return ("live:page", ["page": .object(page)])
    case .statistics(let group): return ("live:statistics", ["group": number(group)])
    case .top(let count): return ("live:top", ["count": number(count)])
    case .joined(let group): return ("live:joined", ["group": number(group)])
    case .guarded(let group, let limit): return ("live:guarded", ["group": number(group), "limit": .float64(limit)])
    case .slow(let group): return ("live:slow", ["group": number(group)])
    case .bulky(let group): return ("live:bulky", ["group": number(group)])
    }
  }
}
