import AsyncHTTPClient
import Foundation
import Martlet
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// The HTTP clients that requests go through: one that connects wherever a URL leads, and one for each host whose address was checked, which connects to
/// that address and nowhere else.
///
/// A name may lead elsewhere when it is looked up a second time (DNS rebinding). So the look-up that was checked is the only one: async-http-client takes
/// a host's address from `dnsOverride`, and still asks for the certificate of the host. That is set for a whole client, hence one for each; their
/// connections are kept like any client's. Beyond `mostKept` of them, the one that was used least recently goes.
final class FetchClients: Sendable {
  struct Pin: Hashable {
    var host: String
    var address: IPAddress
  }

  private struct Entry {
    let client: HTTPClient
    var uses = 0
    var lastUse: UInt64
  }

  private struct State {
    /// Under nil the one without a pin.
    var entries: [Pin?: Entry] = [:]
    var clock: UInt64 = 0
    var isClosed = false
    var closing: [Task<Void, Never>] = []
  }

  static let mostKept = 64

  private let eventLoop: any EventLoop
  private let rules: FetchRules
  private let tls: TLSConfiguration?
  private let state = Mutex(State())

  init(eventLoop: any EventLoop, rules: FetchRules) throws(ServerError) {
    self.eventLoop = eventLoop
    self.rules = rules
    tls = try FetchTrust.configuration(rules)
  }

  /// Runs `body` with a client, which stays while it runs.
  func with<Answer: Sendable>(_ pin: Pin?, _ body: (HTTPClient) async throws -> Answer) async throws -> Answer {
    let client = try take(pin)
    defer { giveBack(pin) }
    return try await body(client)
  }

  /// The same with the first of several pins that can be connected to. Only what failed before anything was sent is tried at the next.
  func with<Answer: Sendable>(anyOf pins: [Pin?], _ body: (HTTPClient) async throws -> Answer) async throws -> Answer {
    for pin in pins.dropLast() {
      do { return try await with(pin, body) } catch where Self.isOfConnecting(error) && !Task.isCancelled { continue }
    }
    guard let last = pins.last else { preconditionFailure("a host that was found has an address") }
    return try await with(last, body)
  }

  private static func isOfConnecting(_ error: any Error) -> Bool {
    switch error {
    case let error as IOError: [ECONNREFUSED, ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT].contains(error.errnoCode)
    case let error as NIOConnectionError: !error.connectionErrors.isEmpty
    case let error as HTTPClientError: error == .connectTimeout
    default: false
    }
  }

  private func take(_ pin: Pin?) throws -> HTTPClient {
    try state.withLock { state in
      guard !state.isClosed else { throw CancellationError() }
      state.clock += 1
      var entry = state.entries[pin] ?? Entry(client: HTTPClient(eventLoopGroup: eventLoop, configuration: configuration(pin)), lastUse: 0)
      entry.uses += 1
      entry.lastUse = state.clock
      state.entries[pin] = entry
      return entry.client
    }
  }

  private func giveBack(_ pin: Pin?) {
    state.withLock { state in
      state.entries[pin]?.uses -= 1
      guard state.entries.count > Self.mostKept, !state.isClosed,
        let oldest = state.entries.filter({ $0.value.uses == 0 }).min(by: { $0.value.lastUse < $1.value.lastUse })
      else { return }
      state.entries[oldest.key] = nil
      let client = oldest.value.client
      state.closing.append(Task { try? await client.shutdown() })
    }
  }

  private func configuration(_ pin: Pin?) -> HTTPClient.Configuration {
    var configuration = HTTPClient.Configuration(
      tlsConfiguration: tls, redirectConfiguration: .disallow, timeout: .init(connect: .nanoseconds(rules.connectTimeout.nanoseconds)), decompression: .disabled)
    // How many are under way is decided by the actions' pools; beyond the client's own 8 they would wait for each other.
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 10_000
    // Whoever calls decides on another try.
    configuration.connectionPool.retryConnectionEstablishment = false
    if let pin { configuration.dnsOverride = [pin.host: pin.address.description] }
    return configuration
  }

  /// Cuts what is under way, and closes all connections.
  func shutDown() async {
    let (clients, closing) = state.withLock { state in
      state.isClosed = true
      defer { (state.entries, state.closing) = ([:], []) }
      return (state.entries.values.map(\.client), state.closing)
    }
    for client in clients { try? await client.shutdown() }
    for task in closing { await task.value }
  }

  /// How many there are, for tests.
  var count: Int { state.withLock { $0.entries.count } }
}

extension Duration {
  /// At most a day: more would be no limit.
  var nanoseconds: Int64 {
    let (seconds, attoseconds) = min(max(self, .zero), .seconds(86_400)).components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }
}
