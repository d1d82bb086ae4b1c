package struct ActionID: Hashable, Sendable {
  let rawValue: Int
  let pool: String
}

/// The actions of a pool: those that run, each a task, and those that wait for a place, in order.
struct ActionPool {
  struct Waiting {
    let id: ActionID
    let start: @Sendable (isolated Engine) -> Void
  }

  /// How many run at a time, and how many more wait.
  let places: Int
  let waitingPlaces: Int
  private var running: [ActionID: (function: String, task: Task<Void, Never>)] = [:]
  private var waiting: ContiguousArray<Waiting> = []
  /// Places that jobs were promised, whose actions begin when that is durable.
  private(set) var reserved = 0

  init(places: Int, waitingPlaces: Int) {
    self.places = places
    self.waitingPlaces = waitingPlaces
  }

  var runningCount: Int { running.count }
  var waitingCount: Int { waiting.count }

  /// How many jobs' actions may begin: those of clients come first.
  var free: Int { max(0, places - running.count - waiting.count - reserved) }

  mutating func reserve() { reserved += 1 }
  mutating func endReservation() { reserved -= 1 }

  var runningFunctions: [String] { running.values.map(\.function) }

  mutating func noteRunning(_ id: ActionID, _ function: String, _ task: Task<Void, Never>) { running[id] = (function, task) }

  mutating func wait(_ id: ActionID, _ start: @escaping @Sendable (isolated Engine) -> Void) {
    waiting.append(Waiting(id: id, start: start))
  }

  /// Asks a running action to stop, and takes a waiting one out of the queue. True for one that waited: nothing is heard of it any more.
  mutating func cancel(_ id: ActionID) -> Bool {
    running[id]?.task.cancel()
    let count = waiting.count
    waiting.removeAll { $0.id == id }
    return waiting.count < count
  }

  func cancelAll() { for action in running.values { action.task.cancel() } }

  /// Notes the end of an action. False if it had ended before.
  mutating func noteEnd(_ id: ActionID) -> Bool { running.removeValue(forKey: id) != nil }

  mutating func takeWaiting() -> Waiting? { waiting.isEmpty ? nil : waiting.removeFirst() }
}

/// An engine's pools: the one that actions run in which name none, and those that the app declares. What fills one leaves the others their places.
struct ActionPools {
  /// The pool of actions that name none.
  static let standard = "default"

  /// The standard one first, the others by name: the order in which jobs are given places.
  let names: [String]
  private var pools: [String: ActionPool]
  private var lastID = 0

  init(_ configuration: EngineConfiguration) {
    var places = configuration.pools
    if places[Self.standard] == nil { places[Self.standard] = configuration.actionsRunning }
    pools = places.mapValues { ActionPool(places: $0, waitingPlaces: configuration.actionsWaiting) }
    names = [Self.standard] + places.keys.filter { $0 != Self.standard }.sorted()
  }

  /// A name that the registry let through.
  subscript(name: String) -> ActionPool {
    get {
      guard let pool = pools[name] else { preconditionFailure("there is no pool of actions \"\(name)\"") }
      return pool
    }
    _modify {
      // In place: a copy would copy all that runs and waits.
      yield &pools[name, default: ActionPool(places: 0, waitingPlaces: 0)]
    }
  }

  var runningCount: Int { pools.values.reduce(0) { $0 + $1.runningCount } }
  var waitingCount: Int { pools.values.reduce(0) { $0 + $1.waitingCount } }
  var runningFunctions: [String] { pools.values.flatMap(\.runningFunctions).sorted() }

  mutating func nextID(in pool: String) -> ActionID {
    lastID += 1
    return ActionID(rawValue: lastID, pool: pool)
  }

  @discardableResult
  mutating func cancel(_ id: ActionID) -> Bool { self[id.pool].cancel(id) }
  mutating func noteEnd(_ id: ActionID) -> Bool { self[id.pool].noteEnd(id) }
  func cancelAll() { for pool in pools.values { pool.cancelAll() } }
}

extension ActionPools {
  /// Throws where a pool has no place, or a function names a pool that there isn't.
  static func check(_ pools: [String: Int], of functions: [FunctionDefinition]) throws(SchemaError) {
    for (name, places) in pools.sorted(by: { $0.key < $1.key }) where places < 1 {
      throw SchemaError("the pool \"\(name)\" is declared with \(places) places; give it 1 or more")
    }
    for function in functions where function.pool != standard && pools[function.pool] == nil {
      throw SchemaError(
        "\(function.name) runs in the pool \"\(function.pool)\", which is not declared; declare it: MartletApp(…, pools: [\"\(function.pool)\": 4])")
    }
  }
}
