package struct ActionID: Hashable, Sendable {
  let rawValue: Int
}

/// The actions of an engine: those that run, each a task, and those that wait for a place, in order.
struct ActionPool {
  struct Waiting {
    let id: ActionID
    let start: @Sendable (isolated Engine) -> Void
  }

  private var lastID = 0
  private var running: [ActionID: Task<Void, Never>] = [:]
  private var waiting: ContiguousArray<Waiting> = []

  var runningCount: Int { running.count }
  var waitingCount: Int { waiting.count }

  mutating func nextID() -> ActionID {
    lastID += 1
    return ActionID(rawValue: lastID)
  }

  mutating func noteRunning(_ id: ActionID, _ task: Task<Void, Never>) { running[id] = task }

  mutating func wait(_ id: ActionID, _ start: @escaping @Sendable (isolated Engine) -> Void) {
    waiting.append(Waiting(id: id, start: start))
  }

  /// Asks a running action to stop, and takes a waiting one out of the queue.
  mutating func cancel(_ id: ActionID) {
    running[id]?.cancel()
    waiting.removeAll { $0.id == id }
  }

  func cancelAll() { for task in running.values { task.cancel() } }

  /// Notes the end of an action. False if it had ended before.
  mutating func noteEnd(_ id: ActionID) -> Bool { running.removeValue(forKey: id) != nil }

  mutating func takeWaiting() -> Waiting? { waiting.isEmpty ? nil : waiting.removeFirst() }
}
