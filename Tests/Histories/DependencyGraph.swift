/// Transactions and their dependencies; finds cycles, and names them by Adya's classes.
struct DependencyGraph {
  struct Kinds: OptionSet, Hashable {
    let rawValue: UInt8
    static let writeWrite = Kinds(rawValue: 1)
    static let writeRead = Kinds(rawValue: 2)
    static let antiDependency = Kinds(rawValue: 4)
    static let session = Kinds(rawValue: 8)
    static let realTime = Kinds(rawValue: 16)
  }

  struct Edge: Hashable {
    var target: Int
    var kind: Kinds
    var key: Int?
  }

  private var edges: [Set<Edge>]

  init(count: Int) { edges = Array(repeating: [], count: count) }

  /// A transaction doesn't depend on itself.
  mutating func add(_ source: Int, _ target: Int, _ kind: Kinds, key: Int? = nil) {
    if source != target { edges[source].insert(Edge(target: target, kind: kind, key: key)) }
  }

  /// The mildest class of each cluster of cycles: data's own cycles if there are any, else those that need the orders.
  func anomalies(_ orders: HistoryOrders) -> [Anomaly] {
    var kinds: Kinds = []
    var stages: [Kinds] = [kinds]
    if orders.contains(.session) {
      kinds.insert(.session)
      stages.append(kinds)
    }
    if orders.contains(.realTime) { stages.append(kinds.union(.realTime)) }
    for stage in stages {
      let found = components(stage.union([.writeWrite, .writeRead, .antiDependency])).compactMap { anomaly(in: $0, orders: stage) }
      if !found.isEmpty { return found }
    }
    return []
  }

  /// How many edges of a cluster are tried for one class, before the next class is. Each costs a search of the cluster; the last class
  /// is always found, so what this bounds is how exactly a large cluster is named.
  private static let mostTries = 500

  private func anomaly(in component: Set<Int>, orders: Kinds) -> Anomaly? {
    let information = orders.union([.writeWrite, .writeRead])
    let classes: [(kind: Anomaly.Kind, first: Kinds, rest: Kinds)] = [
      (.writeCycle, .writeWrite, orders.union(.writeWrite)),
      (.circularInformation, .writeRead, information),
      (.singleAntiDependency, .antiDependency, information),
      (.antiDependencyCycle, .antiDependency, information.union(.antiDependency)),
    ]
    for (kind, first, rest) in classes {
      var tries = 0
      for source in component.sorted() {
        for edge in sorted(edges[source]) where edge.kind == first && component.contains(edge.target) {
          tries += 1
          guard tries <= Self.mostTries else { break }
          if let path = path(from: edge.target, to: source, rest, within: component) { return describe(kind, source, [edge] + path) }
        }
      }
    }
    // A cluster of orders alone: the driver's clock went backwards, or an answer came before its request.
    return nil
  }

  private func sorted(_ edges: Set<Edge>) -> [Edge] {
    edges.sorted { ($0.target, $0.kind.rawValue, $0.key ?? -1) < ($1.target, $1.kind.rawValue, $1.key ?? -1) }
  }

  private func describe(_ kind: Anomaly.Kind, _ start: Int, _ cycle: [Edge]) -> Anomaly {
    var transactions = [start]
    var orders: HistoryOrders = []
    var text = "T\(start)"
    for edge in cycle {
      let name: String
      switch edge.kind {
      case .writeWrite: name = "ww"
      case .writeRead: name = "wr"
      case .antiDependency: name = "rw"
      case .session:
        name = "session"
        orders.insert(.session)
      default:
        name = "realtime"
        orders.insert(.realTime)
      }
      text += " –\(name)\(edge.key.map { " on key \($0)" } ?? "")→ T\(edge.target)"
      if edge.target != start { transactions.append(edge.target) }
    }
    return Anomaly(kind, transactions, orders: orders, text)
  }

  /// The shortest, by breadth-first search.
  private func path(from start: Int, to goal: Int, _ kinds: Kinds, within component: Set<Int>) -> [Edge]? {
    if start == goal { return [] }
    var cameBy: [Int: (source: Int, edge: Edge)] = [:]
    var queue = [start]
    var next = 0
    while next < queue.count {
      let node = queue[next]
      next += 1
      for edge in sorted(edges[node]) where kinds.contains(edge.kind) && component.contains(edge.target) {
        guard edge.target != start, cameBy[edge.target] == nil else { continue }
        cameBy[edge.target] = (node, edge)
        if edge.target == goal {
          var path: [Edge] = []
          var node = goal
          while let step = cameBy[node] {
            path.append(step.edge)
            node = step.source
          }
          return path.reversed()
        }
        queue.append(edge.target)
      }
    }
    return nil
  }

  /// Sets of transactions that all reach each other, of two or more: Tarjan's algorithm with a stack of its own, as chains of
  /// dependencies are as long as the history.
  private func components(_ kinds: Kinds) -> [Set<Int>] {
    var components: [Set<Int>] = []
    var index = [Int](repeating: -1, count: edges.count)
    var low = index
    var isOpen = [Bool](repeating: false, count: edges.count)
    var open: [Int] = []
    var counter = 0
    for root in edges.indices where index[root] < 0 {
      var work: [(node: Int, targets: [Int], next: Int)] = []
      func enter(_ node: Int) {
        index[node] = counter
        low[node] = counter
        counter += 1
        open.append(node)
        isOpen[node] = true
        work.append((node, edges[node].filter { kinds.contains($0.kind) }.map(\.target), 0))
      }
      enter(root)
      while let frame = work.last {
        if frame.next < frame.targets.count {
          work[work.count - 1].next += 1
          let target = frame.targets[frame.next]
          if index[target] < 0 { enter(target) } else if isOpen[target] { low[frame.node] = min(low[frame.node], index[target]) }
          continue
        }
        work.removeLast()
        if let parent = work.last?.node { low[parent] = min(low[parent], low[frame.node]) }
        guard low[frame.node] == index[frame.node] else { continue }
        var component: Set<Int> = []
        while let node = open.popLast() {
          isOpen[node] = false
          component.insert(node)
          if node == frame.node { break }
        }
        if component.count > 1 { components.append(component) }
      }
    }
    return components
  }
}
