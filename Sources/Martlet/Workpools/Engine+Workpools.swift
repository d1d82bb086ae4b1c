/// Starting the work of pools when it has a place: one of the scheduler's own transactions.
///
/// Work itself is enqueued without a look at its pool, and its end frees a place without a look at what comes next. A commit that writes one of the
/// two tables has the engine look here at the end of its turn, as it looks for due jobs; a look reads a count and the first entry of an index for
/// each pool. So pools at rest cost nothing, and nobody waits for anybody to enqueue.
extension Engine {
  /// When one of the pools has something to do: in the past, where that is now. Nil where all wait for an end, or have nothing.
  var nextWorkTime: Double? {
    guard !registry.workpools.isEmpty, let items = try? catalog.table(of: WorkItems.self).table,
      let states = try? catalog.table(of: WorkpoolStates.self).table
    else { return nil }
    let changed = states.assumeIsolated { $0.workpoolStates }
    return registry.workpools.compactMap { pool in
      switch changed[pool.name] {
      case .emptying: -.infinity
      case .paused: nil
      case nil: items.assumeIsolated { $0.nextWorkTime(of: pool) }
      }
    }.min()
  }
}

private enum ChangedPool { case paused, emptying }

extension StoredTable {
  private static var byTurn: IndexSlot { .declared(1) }
  private static var byState: IndexSlot { .declared(2) }

  fileprivate var workpoolStates: [String: ChangedPool] {
    var states: [String: ChangedPool] = [:]
    guard documentCount > 0 else { return states }
    let fields = TableSchema.of(WorkpoolStates.self).prototype
    snapshot.forEach(in: .declared(0), from: nil, to: nil, descending: false) { _, state in
      if state.read(fields.canceledUpTo) != nil {
        states[state.read(fields.pool)] = .emptying
      } else if state.read(fields.isPaused) {
        states[state.read(fields.pool)] = .paused
      }
      return true
    }
    return states
  }

  fileprivate func nextWorkTime(of pool: Workpool) -> Double? {
    guard documentCount > 0 else { return nil }
    let contents = snapshot
    let running = Self.positions(pool.name, .running)
    guard contents.count(in: Self.byState, from: running.lower, to: running.upper) < pool.maxParallelism else { return nil }
    let pending = Self.positions(pool.name, .pending)
    var time: Double?
    contents.forEach(in: Self.byTurn, from: pending.lower, to: pending.upper, descending: false) {
      time = $1.read(TableSchema.of(WorkItems.self).prototype.time)
      return false
    }
    return time
  }

  private static func positions(_ pool: String, _ state: WorkState) -> (lower: IndexKey, upper: IndexKey?) {
    var keys = IndexKeyWriter()
    keys.append(value: .string(pool))
    keys.append(value: .string(state.rawValue))
    let lower = keys.key(tie: 0)
    return (lower, lower.prefixSuccessor())
  }
}

/// The transactions that workpools need.
enum WorkFunctions {
  static let keep = FunctionDefinition(
    name: "_system:keepWorkpools", visibility: .internal, arguments: [],
    limits: {
      Limits.ofServer(&$0)
      // One document may be as long as its limit, and is written more than once.
      $0.bytesWritten = Limits.mostBytesWritten
    },
    body: .mutation { context, _, answer in
      try context.transaction.keepWorkpools()
      answer.writeNull()
    })

  /// A transaction of an action's.
  static func once(_ body: @escaping @Sendable (Transaction, inout JSONWriter) throws -> Void) -> FunctionDefinition {
    FunctionDefinition(
      name: "_system:workpools", visibility: .internal, arguments: [], limits: Limits.ofServer,
      body: .mutation { context, _, answer in try body(context.transaction, &answer) })
  }
}
