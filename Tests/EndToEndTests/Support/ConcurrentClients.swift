import MartletValues

/// Connections that each send one request after another, all at the same time, and the order in which it happened.
///
/// A request's time is taken before it is sent, an answer's after it is read: what is said to have ended before something else
/// began did so. One thread turns all of them, so times are places in one order.
final class ConcurrentClients {
  private let connections: [RawClient]
  private var isWaiting: [Bool]
  private(set) var time = 0

  init(_ server: ServerProcess, count: Int) throws {
    connections = try (0..<count).map { _ in try server.connect() }
    isWaiting = Array(repeating: false, count: count)
  }

  /// Lets idle clients send, and takes answers, until no client has anything more to send and all are answered.
  /// - Parameters:
  ///   - request: the next line of a client, without its id, as `mutation` and the call; nil where it has none.
  ///   - take: a client's answer, an `ok` or an `error`.
  func run(
    _ deadline: Deadline, request: (_ client: Int, _ time: Int) throws -> (verb: String, call: String)?,
    take: (_ client: Int, _ time: Int, ServerMessage) throws -> Void
  ) throws {
    while true {
      for client in connections.indices where !isWaiting[client] {
        time += 1
        guard let next = try request(client, time) else { continue }
        try connections[client].send("\(next.verb) r \(next.call)")
        isWaiting[client] = true
      }
      guard isWaiting.contains(true) else { return }
      try RawClient.wait(for: connections, deadline)
      for client in connections.indices {
        while let line = connections[client].takeLine() {
          let message = try ServerMessage(line)
          guard message.verb == .ok || message.verb == .error else { continue }
          time += 1
          isWaiting[client] = false
          try take(client, time, message)
        }
        if connections[client].isAtEnd { throw Failure("the server closed connection \(client)") }
      }
    }
  }
}

extension ServerMessage {
  /// Whether it was done, or refused by the app's own function; another error is none that a client should meet.
  var isDone: Bool {
    get throws {
      if verb == .ok { return true }
      guard code == "application" else { throw Failure("contention is no error: \(line)") }
      return false
    }
  }
}
