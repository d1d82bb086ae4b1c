import Martlet
import Synchronization

/// The other servers of a simulation: what each answers to a request, and after how long, is the test's to say. Time is the simulated clock's.
///
///     let fetcher = SimulatedFetcher { request in
///       request.url.hasSuffix("/slow") ? .response(Response(status: 200), after: 5_000) : .failure(.network("connection refused"))
///     }
///     let server = try EngineHarness(tables: […], modules: […], fetcher: fetcher)
///
/// The request's timeout holds (30 s if it has none), and so does cancellation.
package final class SimulatedFetcher: HTTPFetcher {
  package enum Reply: Sendable {
    case response(Response, after: Int = 0)
    case failure(FetchError.Kind, after: Int = 0)
    /// Not before the request's timeout.
    case silence
  }

  private struct State {
    var requests: [Request] = []
    var cancelled = 0
    var host: SimulatedHost?
  }

  private let plan: @Sendable (Request) -> Reply
  private let state = Mutex(State())

  package init(_ plan: @escaping @Sendable (Request) -> Reply) { self.plan = plan }

  /// What was asked so far, in order.
  package var requests: [Request] { state.withLock { $0.requests } }

  /// How many requests were cancelled before they were answered.
  package var cancelledCount: Int { state.withLock { $0.cancelled } }

  /// Whose time it is: set when a server starts.
  package var host: SimulatedHost? {
    get { state.withLock { $0.host } }
    set { state.withLock { $0.host = newValue } }
  }

  package func fetch(_ request: Request) async throws -> Response {
    let host = state.withLock { state in
      state.requests.append(request)
      return state.host
    }
    guard let host else { preconditionFailure("a simulated fetcher belongs to a harness") }
    let timeout = request.timeout ?? .seconds(30)
    let limit = Int(timeout.components.seconds * 1_000 + timeout.components.attoseconds / 1_000_000_000_000_000)
    let late = Result<Response, any Error>.failure(FetchError(request.url, .timeout(timeout)))
    let (result, after): (Result<Response, any Error>, Int) =
      switch plan(request) {
      case .response(let response, let after): after < limit ? (.success(response), after) : (late, limit)
      case .failure(let kind, let after): after < limit ? (.failure(FetchError(request.url, kind)), after) : (late, limit)
      case .silence: (late, limit)
      }
    let answer = Answer()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        answer.expect(continuation)
        host.schedule(afterMilliseconds: after) { answer.give(result) }
      }
    } onCancel: {
      if answer.give(.failure(CancellationError())) { state.withLock { $0.cancelled += 1 } }
    }
  }

  private final class Answer: Sendable {
    private struct State {
      var continuation: CheckedContinuation<Response, any Error>?
      var given: Result<Response, any Error>?
    }

    private let state = Mutex(State())

    func expect(_ continuation: CheckedContinuation<Response, any Error>) {
      let given = state.withLock { state in
        if state.given == nil { state.continuation = continuation }
        return state.given
      }
      if let given { continuation.resume(with: given) }
    }

    /// False where there is an answer already.
    @discardableResult
    func give(_ result: Result<Response, any Error>) -> Bool {
      let (continuation, isFirst) = state.withLock { state in
        guard state.given == nil else { return (CheckedContinuation<Response, any Error>?.none, false) }
        state.given = result
        return (state.continuation.take(), true)
      }
      continuation?.resume(with: result)
      return isFirst
    }
  }
}
