/// How the engine reaches other servers: over sockets in a server, not at all in a test that says so.
///
/// It throws `FetchError`, or `CancellationError` when its task is cancelled, and keeps to the request's timeout by itself.
package protocol HTTPFetcher: Sendable {
  func fetch(_ request: Request) async throws -> Response
}

extension ActionContext {
  /// Asks another server, and gives its answer, whatever its status.
  ///
  /// ```swift
  /// let response = try await ctx.fetch("https://api.example.com/quote").requireSuccess()
  /// ```
  ///
  /// Which hosts may be asked, how long it may take and how much may come are the server's `FetchRules`. When the action is cancelled, or its time
  /// is up, this is cancelled.
  ///
  /// - Throws: `FetchError`; `CancellationError`
  public func fetch(_ request: Request) async throws -> Response {
    guard let fetcher = engine.environment.outside.fetcher else {
      throw FetchError(request.url, .refused("this server was started without anything to fetch by"))
    }
    if let refusal = request.refusal { throw FetchError(request.url, .refused(refusal)) }
    try Task.checkCancellation()
    let clock = engine.environment.clock
    let start = clock.monotonicNanoseconds()
    var status: Int?
    defer { engine.configuration.metrics?.noteFetch(status: status, nanoseconds: clock.monotonicNanoseconds() &- start) }
    var response = try await fetcher.fetch(request)
    status = response.status
    response.receivedMilliseconds = clock.wallMilliseconds()
    return response
  }

  public func fetch(
    _ url: String, method: Request.Method = .get, headers: Headers = [:], body: [UInt8] = [], timeout: Duration? = nil
  ) async throws -> Response {
    try await fetch(Request(url, method: method, headers: headers, body: body, timeout: timeout))
  }

  /// Sends a value as JSON: see `Request.setJSON`.
  public func fetch(
    _ url: String, method: Request.Method = .post, headers: Headers = [:], json: some WireValue, timeout: Duration? = nil
  ) async throws -> Response {
    var request = Request(url, method: method, headers: headers, timeout: timeout)
    request.setJSON(json)
    return try await fetch(request)
  }

  /// The same for a value that is written down: `json: ["amount": 1250]`.
  public func fetch(
    _ url: String, method: Request.Method = .post, headers: Headers = [:], json: Value, timeout: Duration? = nil
  ) async throws -> Response {
    var request = Request(url, method: method, headers: headers, timeout: timeout)
    request.setJSON(json)
    return try await fetch(request)
  }
}
