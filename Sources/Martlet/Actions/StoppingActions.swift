import MartletWire

/// How actions end when the server stops: those of clients and those of jobs alike.
///
///     stop ──▶ they go on ──▶ after the grace: all are cancelled, none begins ──▶ after the patience: those that still run are left
///
/// Whenever none is left, that is the end, and nobody waits any longer. A job whose action was cancelled is `failed`, and says so; for the retrier that is a
/// failure like any other, so the next start goes on with the next attempt. An action that doesn't heed its cancellation can't be stopped: it is left
/// to itself for as long as the process lasts, the database answers it no more, and its job, still `inProgress`, is found and failed at the next start.
struct StoppingActions {
  enum Phase: Comparable { case none, grace, cancelled, over }

  var phase = Phase.none
  var done: (@Sendable ([String]) -> Void)?

  var mayBegin: Bool { phase < .cancelled }
  /// Whether actions may still reach the database.
  var mayCall: Bool { phase < .over }

  static let refusal = WireError(.shuttingDown, "the server stopped before the action could run")
  static let isOver = WireError(.shuttingDown, "the server has stopped; what an action does now is not kept")
  static let cancellation = WireError(.shuttingDown, "the server stopped while the action ran, and cancelled it")
}

extension Engine {
  /// Sees the actions off, after `drain`.
  ///
  /// - Parameter done: is told which functions' actions were left running, usually none, once.
  package func endActions(
    graceMilliseconds: Int, patienceMilliseconds: Int, _ done: @escaping @Sendable (_ left: [String]) -> Void
  ) {
    stopping.phase = .grace
    stopping.done = done
    tellIfActionsEnded()
    guard stopping.done != nil else { return }
    host.schedule(afterMilliseconds: graceMilliseconds) {
      self.assumeIsolated { engine in
        guard engine.stopping.done != nil else { return }
        engine.cancelActions()
        engine.host.schedule(afterMilliseconds: patienceMilliseconds) { self.assumeIsolated { $0.leaveActions() } }
      }
    }
  }

  package func endActions(graceMilliseconds: Int, patienceMilliseconds: Int) async -> [String] {
    await withCheckedContinuation { continuation in
      endActions(graceMilliseconds: graceMilliseconds, patienceMilliseconds: patienceMilliseconds) { continuation.resume(returning: $0) }
    }
  }

  private func cancelActions() {
    stopping.phase = .cancelled
    actions.cancelAll()
    for pool in actions.names {
      while let next = actions[pool].takeWaiting() { next.start(self) }
    }
    tellIfActionsEnded()
  }

  private func leaveActions() {
    guard let done = stopping.done.take() else { return }
    stopping.phase = .over
    done(actions.runningFunctions)
  }

  /// The end of the last one is not awaited in vain.
  func tellIfActionsEnded() {
    guard stopping.done != nil, actions.runningCount == 0, actions.waitingCount == 0, jobQueue.beginning == 0 else { return }
    leaveActions()
  }
}
