import MartletWire

/// A client's requests, from the moment that they are made until they are answered: those on the wire, and those that wait for a connection.
///
/// They are sent in the order in which they were made, and, when a connection broke, again in that order. That is safe for queries, and for mutations
/// since the server knows the session: it answers those that have run as it did then. An action that was on the wire may have run, and is given up.
struct RequestQueue<Waiter: Sendable>: ~Copyable {
  struct Entry {
    let id: UInt64
    var request: ClientRequest
    var waiter: Waiter
    fileprivate var order: UInt64
    fileprivate var isSent = false
    /// The server refused it, since it is shutting down. It has not run.
    fileprivate var isRefused = false
  }

  /// Mutations on the wire: as many as the server keeps answers of. More, and the first one's might be gone when it is asked for again.
  static var mostMutationsSent: Int { 1_000 }

  private var entries: [UInt64: Entry] = [:]
  /// Ids to send, from `firstUnsent` on. What was cancelled meanwhile is still among them.
  private var unsent: [UInt64] = []
  private var firstUnsent = 0
  private var mutationsSent = 0
  private var lastOrder: UInt64 = 0

  var count: Int { entries.count }

  mutating func add(_ id: UInt64, _ request: ClientRequest, _ waiter: Waiter) {
    lastOrder += 1
    entries[id] = Entry(id: id, request: request, waiter: waiter, order: lastOrder)
    unsent.append(id)
  }

  /// The next request to send, if there is one and the server may be asked more.
  ///
  /// - Parameter areLast: none of them will be sent again.
  mutating func takeUnsent(areLast: Bool = false) -> (id: UInt64, line: [UInt8])? {
    while firstUnsent < unsent.count {
      let id = unsent[firstUnsent]
      if let entry = entries[id] {
        if entry.request.isMutation {
          guard areLast || mutationsSent < Self.mostMutationsSent else { return nil }
          mutationsSent += 1
        }
        entries[id]!.isSent = true
        noteTaken()
        return (id, entry.request.line)
      }
      noteTaken()
    }
    return nil
  }

  private mutating func noteTaken() {
    firstUnsent += 1
    guard firstUnsent == unsent.count || firstUnsent == 4_096 else { return }
    unsent.removeFirst(firstUnsent)
    firstUnsent = 0
  }

  /// Takes out a request that is answered, or that nobody waits for any more.
  mutating func remove(_ id: UInt64) -> (entry: Entry, wasSent: Bool)? {
    guard let entry = entries.removeValue(forKey: id) else { return nil }
    if entry.isSent, entry.request.isMutation { mutationsSent -= 1 }
    return (entry, entry.isSent)
  }

  /// The server won't run it any more: it waits for the next connection. False where there is no such request.
  mutating func noteRefusal(_ id: UInt64) -> Bool {
    guard entries[id] != nil else { return false }
    entries[id]!.isRefused = true
    return true
  }

  /// Whether the server may have run it, and nobody here knows.
  func mayHaveRun(_ id: UInt64) -> Bool { entries[id].map { $0.isSent && !$0.isRefused } ?? false }

  /// The connection is gone. Gives the requests of which it isn't known whether they have run; the others are to be sent, all of them.
  mutating func takeLost() -> [Entry] {
    var lost: [Entry] = []
    var kept: [UInt64] = []
    for (id, entry) in entries.sorted(by: { $0.value.order < $1.value.order }) {
      if entry.isSent, !entry.isRefused, !entry.request.canBeSentAgain {
        lost.append(entry)
        entries[id] = nil
      } else {
        entries[id]!.isSent = false
        entries[id]!.isRefused = false
        kept.append(id)
      }
    }
    unsent = kept
    firstUnsent = 0
    mutationsSent = 0
    return lost
  }

  /// Gives up all of them.
  mutating func takeAll() -> [Entry] {
    let all = entries.values.sorted { $0.order < $1.order }
    entries.removeAll()
    unsent.removeAll()
    firstUnsent = 0
    mutationsSent = 0
    return all
  }
}

/// A request, and what its answer means to the client.
enum ClientRequest: Hashable, Sendable {
  case call(ClientVerb, line: [UInt8])
  case ping(line: [UInt8])
  /// If it is answered well, `token` is what the next connection's `hello` says.
  case auth(line: [UInt8], token: String?)

  var line: [UInt8] {
    switch self {
    case .call(_, let line), .ping(let line), .auth(let line, _): line
    }
  }

  var isMutation: Bool {
    if case .call(.mutation, _) = self { return true }
    return false
  }

  fileprivate var canBeSentAgain: Bool {
    switch self {
    case .call(.action, _), .ping: false
    case .call, .auth: true
    }
  }
}
