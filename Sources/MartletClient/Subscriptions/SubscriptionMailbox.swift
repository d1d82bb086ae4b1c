import Synchronization

/// Where a subscription's values wait for the one who reads them: room for one, the newest.
///
/// A reader that is slower than the commits sees fewer values, never old ones after new ones, and memory doesn't grow.
final class SubscriptionMailbox: Sendable {
  private struct State {
    /// Not yet read.
    var newest: Delivery?
    var end: Result<Void, MartletError>?
    /// Waits, and then nothing is unread and there is no end.
    var reader: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  func deliver(_ delivery: Delivery) {
    wake { $0.newest = delivery }
  }

  /// What is unread can still be read; then the sequence ends.
  func finish(_ error: MartletError?) {
    wake { $0.end = error.map { .failure($0) } ?? .success(()) }
  }

  /// The next value; nil at the end, or if the reader's task is cancelled.
  func next(isolation: isolated (any Actor)?) async throws(MartletError) -> Delivery? {
    while !Task.isCancelled {
      let (delivery, end) = state.withLock { state in (state.newest.take(), state.end) }
      if let delivery { return delivery }
      switch end {
      case .success: return nil
      case .failure(let error): throw error
      case nil: await waitForChange(isolation: isolation)
      }
    }
    return nil
  }

  private func waitForChange(isolation: isolated (any Actor)?) async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let waits = state.withLock { state in
          precondition(state.reader == nil, "An iterator is read by one task at a time")
          // Asked under the lock: a cancellation before it is seen here, one after it finds the reader.
          guard state.newest == nil, state.end == nil, !Task.isCancelled else { return false }
          state.reader = continuation
          return true
        }
        if !waits { continuation.resume() }
      }
    } onCancel: {
      wake { _ in }
    }
  }

  private func wake(_ change: (inout State) -> Void) {
    let reader = state.withLock { state in
      change(&state)
      return state.reader.take()
    }
    reader?.resume()
  }
}
