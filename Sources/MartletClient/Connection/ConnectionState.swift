import Synchronization

/// How a client stands with its server.
public enum ConnectionState: Sendable, Hashable {
  /// The first connection is being made.
  case connecting
  case connected
  /// The connection was lost, for this reason, and is being made again: `attempt` counts from 1.
  case reconnecting(attempt: Int, reason: String)
  /// For good: by `close()`, or since the server refuses this client.
  case closed(MartletError?)
}

/// A client's state, and all who watch it.
final class ConnectionStates: Sendable {
  private struct Watched {
    var current = ConnectionState.connecting
    var watchers: [Int: AsyncStream<ConnectionState>.Continuation] = [:]
    var lastWatcher = 0
  }

  private let watched = Mutex(Watched())

  var current: ConnectionState { watched.withLock { $0.current } }

  func note(_ state: ConnectionState) {
    let watchers = watched.withLock { watched in
      watched.current = state
      return Array(watched.watchers.values)
    }
    for watcher in watchers {
      watcher.yield(state)
      if case .closed = state { watcher.finish() }
    }
  }

  /// The state now, and from then on each new one. Who is slow misses those between.
  func watch() -> AsyncStream<ConnectionState> {
    let (stream, continuation) = AsyncStream.makeStream(of: ConnectionState.self, bufferingPolicy: .bufferingNewest(1))
    let (number, state) = watched.withLock { watched in
      watched.lastWatcher += 1
      watched.watchers[watched.lastWatcher] = continuation
      // Within the lock, so that no newer state comes before this one.
      continuation.yield(watched.current)
      return (watched.lastWatcher, watched.current)
    }
    continuation.onTermination = { [weak self] _ in _ = self?.watched.withLock { $0.watchers.removeValue(forKey: number) } }
    if case .closed = state { continuation.finish() }
    return stream
  }
}
