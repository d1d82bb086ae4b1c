import MartletWire

/// Stopping.
extension Engine {
  /// Takes no new requests. What is in flight goes on.
  package func drain() {
    if lifecycle == .running { lifecycle = .draining }
  }

  /// Ends a session: what it has in flight is answered, then `closing` is its last line.
  package func shutDown(_ id: SessionID) {
    guard let session = sessions[id] else { return }
    if session.closing == nil { finish(session, WireError(.shuttingDown, "the server is shutting down; connect again later")) }
    closeIfDone(session)
  }

  /// Returns when every commit so far is on disk, or will never be.
  package func waitUntilDurable() async {
    await withCheckedContinuation { continuation in
      whenDurable { _ in continuation.resume() }
    }
    metrics?.handOver(self)
  }
}
