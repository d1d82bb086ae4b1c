import MartletValues

/// Counters as a dictionary: what the functions of `CounterFunctions` do, one after another, with nothing beside.
struct CounterModel: Equatable {
  struct Counter: Equatable {
    var amount: Double
    /// Grows with each insertion: what stands in for the creation time.
    var birth: Int
    /// As JSON; empty until it is known.
    var id: String
  }

  enum Operation: CustomStringConvertible {
    case add(String, Double)
    case set(String, Double)
    case delete(String)
    case transfer(String, String, Double)
    case claim(String)
    case swap(ifNone: Double, String, Double)
    case value(String)
    case total

    /// The call on the wire, in its short form or the one that takes its time.
    func call(isSlow: Bool) -> String {
      switch self {
      case .add(let name, let amount): #"mutation ID counters:\#(isSlow ? "slowAdd" : "add") {"name":"\#(name)","amount":\#(amount)}"#
      case .set(let name, let value): #"mutation ID counters:set {"name":"\#(name)","value":\#(value)}"#
      case .delete(let name): #"mutation ID counters:delete {"name":"\#(name)"}"#
      case .transfer(let from, let to, let amount):
        #"mutation ID counters:\#(isSlow ? "slowTransfer" : "transfer") {"from":"\#(from)","to":"\#(to)","amount":\#(amount)}"#
      case .claim(let name): #"mutation ID counters:\#(isSlow ? "slowClaim" : "claim") {"name":"\#(name)"}"#
      case .swap(let bound, let name, let value):
        #"mutation ID counters:slowSwap {"ifNone":\#(bound),"name":"\#(name)","value":\#(value)}"#
      case .value(let name): #"query ID counters:\#(isSlow ? "slowValue" : "value") {"name":"\#(name)"}"#
      case .total: "query ID counters:\(isSlow ? "slowTotal" : "total")"
      }
    }

    var description: String { call(isSlow: false) }
  }

  var counters: [String: Counter] = [:]
  private(set) var births = 0

  /// Carries out an operation. Gives its answer as JSON, nil where it throws, and leaves the counters as they were then.
  /// An id is taken from the answer that the server gave, once for each counter.
  mutating func run(_ operation: Operation, answer: String = "") -> String? {
    switch operation {
    case .add(let name, let amount): return Value.float64(add(name, amount)).json
    case .set(let name, let value):
      if counters[name] == nil { add(name, 0) }
      counters[name]!.amount = value
      // An id is the server's to choose. A counter that came by another function has one that wasn't told yet.
      if counters[name]!.id.isEmpty { counters[name]!.id = answer }
      return counters[name]!.id
    case .delete(let name): return counters.removeValue(forKey: name) == nil ? nil : "null"
    case .transfer(let from, let to, let amount):
      guard let source = counters[from], source.amount >= amount else { return nil }
      add(from, -amount)
      add(to, amount)
      return "null"
    case .claim(let name):
      guard counters[name] == nil else { return "false" }
      add(name, 1)
      return "true"
    case .swap(let bound, let name, let value):
      guard !counters.values.contains(where: { $0.amount >= bound }) else { return "false" }
      guard counters[name] != nil else { return nil }
      counters[name]!.amount = value
      return "true"
    case .value(let name): return counters[name].map { Value.float64($0.amount).json } ?? "null"
    case .total: return Value.float64(counters.values.reduce(0) { $0 + $1.amount }).json
    }
  }

  @discardableResult
  private mutating func add(_ name: String, _ amount: Double) -> Double {
    if counters[name] == nil {
      births += 1
      counters[name] = Counter(amount: 0, birth: births, id: "")
    }
    counters[name]!.amount += amount
    return counters[name]!.amount
  }

  /// What `counters:all` answers.
  var all: String {
    let texts = counters.sorted { $0.key < $1.key }.map { Value.string("\($0.key)=\(Int($0.value.amount))") }
    return Value.array(texts).json
  }

  /// The names in the order of `by_value`.
  var byValue: [(name: String, amount: Double)] {
    counters.sorted { ($0.value.amount, $0.value.birth) < ($1.value.amount, $1.value.birth) }
      .map { ($0.key, $0.value.amount) }
  }
}
