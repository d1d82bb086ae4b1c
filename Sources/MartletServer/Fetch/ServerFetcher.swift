import AsyncHTTPClient
import Foundation
import Martlet
import NIOCore
import NIOHTTP1

/// `ctx.fetch` of a server, over async-http-client.
///
/// A request goes through `hop` once, and once more for each redirect; each time the rules are looked at anew:
///
///     URL ─▶ taken apart ─▶ host: an address, an allowed name, or a name that is looked up ─▶ all addresses are public?
///         ─▶ connect to one of them ─▶ headers ─▶ body, counted
///
/// A name that has one private address is refused even if it has public ones too. Errors are `FetchError`s; the time is measured here and not by the
/// client, so that it holds for look-ups and bodies as well.
package final class ServerFetcher: HTTPFetcher {
  private let rules: FetchRules
  private let clients: FetchClients
  private let resolve: @Sendable (String) async throws -> [IPAddress]

  /// - Parameter eventLoop: where the sockets are read: not the engine's loop, which has no time for TLS.
  /// - Throws: where certificates that the rules name can't be read.
  package convenience init(eventLoop: any EventLoop, rules: FetchRules) throws(ServerError) {
    try self.init(eventLoop: eventLoop, rules: rules) { try await HostResolver().addresses(of: $0) }
  }

  /// - Parameter resolve: a test's own names.
  init(eventLoop: any EventLoop, rules: FetchRules, resolve: @escaping @Sendable (String) async throws -> [IPAddress]) throws(ServerError) {
    self.rules = rules
    self.resolve = resolve
    clients = try FetchClients(eventLoop: eventLoop, rules: rules)
  }

  package func shutDown() async { await clients.shutDown() }

  package func fetch(_ request: Request) async throws -> Response {
    let timeout = request.timeout ?? rules.timeout
    return try await withThrowingTaskGroup(of: Response?.self) { group in
      defer { group.cancelAll() }
      group.addTask { try await self.follow(request) }
      group.addTask {
        try await Task.sleep(for: .nanoseconds(timeout.nanoseconds))
        return nil
      }
      guard let response = try await group.next() ?? nil else { throw FetchError(request.url, .timeout(timeout)) }
      return response
    }
  }

  private func follow(_ request: Request) async throws -> Response {
    var request = request
    var url: FetchURL
    do throws(FetchURL.Problem) { url = try FetchURL(request.url) } catch { throw FetchError(request.url, .badURL(error.reason)) }
    var redirects = 0
    while true {
      let response = try await hop(request, url)
      guard rules.redirects > 0,
        let redirect = try Redirect(request, at: url, status: response.status, location: response.headers["location"])
      else { return response }
      guard redirects < rules.redirects else { throw FetchError("\(url)", .tooManyRedirects(limit: rules.redirects)) }
      redirects += 1
      (request, url) = (redirect.request, redirect.url)
    }
  }

  private func hop(_ request: Request, _ url: FetchURL) async throws -> Response {
    do {
      return try await clients.with(anyOf: try await pins(url)) { try await self.exchange(request, url, $0) }
    } catch let error as FetchError {
      throw error
    } catch {
      if Task.isCancelled || error is CancellationError { throw CancellationError() }
      if let problem = FetchTrust.problem(error, of: url.hostText) { throw FetchError("\(url)", .refused(problem)) }
      throw FetchError("\(url)", kind(of: error))
    }
  }

  /// What to connect to, one after another; nil for where the URL's own host leads.
  private func pins(_ url: FetchURL) async throws -> [FetchClients.Pin?] {
    if rules.allows(url.host) { return [nil] }
    switch url.host {
    case .address(let address):
      try check(address, url)
      return [nil]
    case .name(let name):
      let addresses = try await resolve(name)
      for address in addresses { try check(address, url) }
      guard !addresses.isEmpty else { throw HostResolver.Failure(reason: "the host \(name) has no address") }
      return addresses.map { FetchClients.Pin(host: name, address: $0) }
    }
  }

  private func check(_ address: IPAddress, _ url: FetchURL) throws(FetchError) {
    guard let kind = address.privateKind else { return }
    throw FetchError(
      "\(url)",
      .refused("its address \(address) is \(kind), and only public addresses are reached; allow the host with --fetch-allow \(url.hostText)"))
  }

  private func exchange(_ request: Request, _ url: FetchURL, _ client: HTTPClient) async throws -> Response {
    // What the client makes of the URL must be what was checked.
    guard case let text = "\(url)", URL(string: text)?.host.map({ $0 == url.hostText || "[\($0)]" == url.hostText }) == true else {
      throw FetchError("\(url)", .badURL("the host can't be read"))
    }
    var sent = HTTPClientRequest(url: text)
    sent.method = HTTPMethod(rawValue: request.method.rawValue)
    for (name, value) in request.headers { sent.headers.add(name: name, value: value) }
    if request.headers["user-agent"] == nil { sent.headers.add(name: "user-agent", value: "martlet") }
    if !request.body.isEmpty { sent.body = .bytes(ByteBuffer(bytes: request.body)) }
    let received = try await client.execute(sent, deadline: .distantFuture)
    var response = Response(status: Int(received.status.code), url: text)
    for (name, value) in received.headers { response.headers.add(name, value) }
    let limit = rules.responseBytes
    if request.method != .head, let length = response.headers["content-length"].flatMap({ Int($0) }), length > limit {
      throw FetchError(text, .tooLarge(limit: limit))
    }
    for try await part in received.body {
      guard response.body.count + part.readableBytes <= limit else { throw FetchError(text, .tooLarge(limit: limit)) }
      response.body.append(contentsOf: part.readableBytesView)
    }
    // A body that ends since its reader is cancelled is not whole.
    try Task.checkCancellation()
    return response
  }

  private func kind(of error: any Error) -> FetchError.Kind {
    switch error {
    case let error as HostResolver.Failure: .network(error.reason)
    case let error as HTTPClientError where [.connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout].contains(error):
      .timeout(rules.connectTimeout)
    case let error as HTTPClientError where error == .remoteConnectionClosed:
      .network("the server closed the connection before its answer was whole")
    default: .network("\(error)")
    }
  }
}
