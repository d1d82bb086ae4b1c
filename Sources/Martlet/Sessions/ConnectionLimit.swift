import MartletWire

/// What a server grants its clients, in numbers (G9): how many may connect, and what each connection may have open.
enum ConnectionLimit: String {
  case connections, subscriptions, requests

  /// What is told to the one who is refused: the limit, its value, and how it is raised.
  func error(_ value: Int) -> WireError {
    let text =
      switch self {
      case .connections: "\(value) connections are open, as many as this server takes: try again later, or"
      case .subscriptions: "\(value) subscriptions are open, as many as one connection may have: unsubscribe some, connect once more, or"
      case .requests: "\(value) actions are unanswered, as many as one connection may have: wait for answers, connect once more, or"
      }
    return WireError(
      .limitExceeded, "\(text) start the server with --max-\(rawValue) (\(rawValue), \(value))",
      data: ["limit": .string(rawValue), "value": .float64(Double(value))])
  }
}

extension Engine {
  /// - Parameter count: how many there are already.
  func check(_ limit: ConnectionLimit, _ count: Int, _ most: Int) throws(WireError) {
    guard count >= most else { return }
    let error = limit.error(most)
    statistics.noteLimit(error)
    throw error
  }
}

/// How far clients lag behind, for `_system:stats` and metrics.
struct Backlog {
  /// Connections that take nothing now.
  var blockedConnections = 0
  /// What waits to leave: for the disk, or in a connection that takes nothing now. Others have less than 1 MiB, which is not added up.
  var heldBytes = 0

  init(_ sessions: some Sequence<Session>) {
    for session in sessions {
      heldBytes += session.outbound.byteCount
      guard !session.transport.isWritable else { continue }
      blockedConnections += 1
      heldBytes += session.transport.unsentBytes
    }
  }
}
