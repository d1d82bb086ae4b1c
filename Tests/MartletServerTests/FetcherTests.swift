import AsyncHTTPClient
import Foundation
import Martlet
import NIOCore
import NIOPosix
import TestServers
import Testing

@testable import MartletServer

@Suite("The server's fetcher, against a server on loopback")
struct FetcherTests {
  private static func rules(_ change: (inout FetchRules) -> Void = { _ in }) -> FetchRules {
    var rules = FetchRules()
    rules.allowedHosts = ["127.0.0.1"]
    change(&rules)
    return rules
  }

  /// Names of a test: `private.test` leads to this machine, `mixed.test` to it and to a public address, `nowhere.test` nowhere.
  @Sendable private static func resolve(_ name: String) throws -> [IPAddress] {
    switch name {
    case "private.test": [.v4(0x7F00_0001)]
    case "mixed.test": [.v4(0x0101_0101), .v4(0x7F00_0001)]
    case "metadata.test": [.v4(0xA9FE_A9FE)]
    default: throw HostResolver.Failure(reason: "the host \(name) isn't found")
    }
  }

  /// Runs a fetcher against a server.
  private static func run(
    _ rules: FetchRules = rules(), _ answer: @escaping @Sendable (LoopbackServer.Received) -> LoopbackServer.Reply,
    _ body: (ServerFetcher, LoopbackServer) async throws -> Void
  ) async throws {
    try await LoopbackServer.with(answer) { server in
      let fetcher = try ServerFetcher(eventLoop: server.group.next(), rules: rules, resolve: resolve)
      do { try await body(fetcher, server) } catch {
        await fetcher.shutDown()
        throw error
      }
      await fetcher.shutDown()
    }
  }

  private static func kind(_ fetcher: ServerFetcher, _ request: Request) async throws -> FetchError.Kind? {
    do {
      let response = try await fetcher.fetch(request)
      Issue.record("\(request.url) was answered with \(response.status)")
      return nil
    } catch let error as FetchError {
      return error.kind
    }
  }

  private static func isNetwork(_ kind: FetchError.Kind?) -> Bool {
    if case .network? = kind { true } else { false }
  }

  @Test("A request goes out as it was made, and the answer comes back whole")
  func exchange() async throws {
    try await Self.run(Self.rules(), { _ in .ok("hällo", headers: ["set-cookie: a=1", "Set-Cookie: b=2"]) }) { fetcher, server in
      var request = Request("\(server.url)/a%20b/ü?x=[1]#no", method: "PROPFIND", headers: ["x-own": "1", "X-OWN": "2"])
      request.setJSON(["a": 1])
      let response = try await fetcher.fetch(request)
      #expect(response.status == 200 && response.text == "hällo" && response.headers.all("set-cookie") == ["a=1", "b=2"])
      #expect(response.url == "\(server.url)/a%20b/%C3%BC?x=%5B1%5D")
      let received = try #require(server.received.first)
      #expect(received.line == "PROPFIND /a%20b/%C3%BC?x=%5B1%5D HTTP/1.1" && received.body == #"{"a":1}"#)
      #expect(received.header("content-type") == "application/json" && received.header("host") == "127.0.0.1:\(server.port)")
      #expect(received.headers.filter { $0.name == "x-own" }.map(\.value) == ["1", "2"] && received.header("user-agent") == "martlet")
    }
  }

  @Test("Statuses are answers: 500, 404, 429 with Retry-After, 204 without a body")
  func statuses() async throws {
    try await Self.run(
      Self.rules(),
      { request in
        switch request.path {
        case "/429": .status("429 Too Many Requests", "later", ["Retry-After: 3"])
        case "/500": .status("500 Oh", "broken")
        case "/404": .status("404 Not Found")
        default: .bytes("HTTP/1.1 204 No Content\r\n\r\n")
        }
      }
    ) { fetcher, server in
      for status in [429, 500, 404, 204] {
        let response = try await fetcher.fetch(Request("\(server.url)/\(status)"))
        #expect(response.status == status)
        do throws(HTTPStatusError) {
          try response.requireSuccess()
          #expect(status == 204)
        } catch {
          #expect(error.isRetryable == (status != 404) && error.retryAfterSeconds == (status == 429 ? 3 : nil))
        }
      }
    }
  }

  @Test(
    "What is no whole answer is an error of the network",
    arguments: [
      "", "nonsense\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
      "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nna me: x\r\n\r\n",
    ])
  func malformed(_ bytes: String) async throws {
    try await Self.run(Self.rules(), { _ in .bytesThenClose(bytes) }) { fetcher, server in
      let kind = try await Self.kind(fetcher, Request(server.url))
      #expect(Self.isNetwork(kind), "\(kind as Any)")
    }
  }

  @Test("Nobody listening is an error of the network, at once")
  func refusedConnection() async throws {
    try await Self.run(Self.rules(), { _ in .ok("") }) { fetcher, server in
      let other = try await ServerBootstrap(group: server.group).bind(host: "127.0.0.1", port: 0).get()
      let port = try #require(other.localAddress?.port)
      try await other.close()
      #expect(Self.isNetwork(try await Self.kind(fetcher, Request("http://127.0.0.1:\(port)/", timeout: .seconds(60)))))
      #expect(Self.isNetwork(try await Self.kind(fetcher, Request("http://nowhere.test/", timeout: .seconds(60)))))
    }
  }

  @Test(
    "A server that doesn't answer, or not to the end, is left after the timeout, and its connection closed",
    arguments: ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"])
  func timeout(_ begin: String) async throws {
    try await Self.run(Self.rules(), { _ in .hang(begin) }) { fetcher, server in
      let kind = try await Self.kind(fetcher, Request(server.url, timeout: .milliseconds(100)))
      #expect(kind == .timeout(.milliseconds(100)))
      await server.waitForClosedConnection()
    }
  }

  @Test("Cancelling a task ends its fetch, wherever it is, and closes the connection", arguments: ["", "HTTP/1.1 200 OK\r\n\r\nabc"])
  func cancellation(_ begin: String) async throws {
    let (arrived, signal) = AsyncStream.makeStream(of: Void.self)
    try await Self.run(
      Self.rules(),
      { _ in
        signal.yield()
        return .hang(begin)
      }
    ) { fetcher, server in
      let url = server.url
      let task = Task { try await fetcher.fetch(Request(url, timeout: .seconds(600))) }
      for await _ in arrived { break }
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      await server.waitForClosedConnection()
    }
  }

  @Test("Fetches from one host don't wait for each other")
  func parallel() async throws {
    let (arrived, signal) = AsyncStream.makeStream(of: Void.self)
    try await Self.run(
      Self.rules(),
      { _ in
        signal.yield()
        return .hang()
      }
    ) { fetcher, server in
      let url = server.url
      let tasks = (0..<40).map { _ in Task { try await fetcher.fetch(Request(url, timeout: .seconds(600))) } }
      var count = 0
      for await _ in arrived {
        count += 1
        if count == tasks.count { break }
      }
      for task in tasks { task.cancel() }
      for task in tasks { await #expect(throws: CancellationError.self) { try await task.value } }
      try #require(count == tasks.count)
    }
  }

  @Test("A look-up that hangs holds up neither a timeout nor a cancellation")
  func hangingLookup() async throws {
    try await LoopbackServer.with({ _ in .ok("") }) { server in
      let fetcher = try ServerFetcher(eventLoop: server.group.next(), rules: FetchRules()) { _ in
        // Nothing is ever sent: it ends when its task is cancelled.
        let (nothing, sender) = AsyncStream<Void>.makeStream()
        for await _ in nothing {}
        return withExtendedLifetime(sender) { [] }
      }
      let kind = try await Self.kind(fetcher, Request("http://hangs.test/", timeout: .milliseconds(50)))
      #expect(kind == .timeout(.milliseconds(50)))
      await fetcher.shutDown()
    }
    let resolving = Task { try await HostResolver().addresses(of: "localhost") }
    resolving.cancel()
    _ = await resolving.result
    #expect(try await HostResolver().addresses(of: "localhost").allSatisfy { $0.privateKind == "loopback" })
  }

  @Test("A body beyond the limit is cut off: one that says so, and one that never ends; one of exactly the limit is not")
  func sizes() async throws {
    let rules = Self.rules { $0.responseBytes = 100_000 }
    let answer: @Sendable (LoopbackServer.Received) -> LoopbackServer.Reply = { request in
      switch request.path {
      case "/declared": .hang("HTTP/1.1 200 OK\r\ncontent-length: 100001\r\n\r\n")
      case "/endless": .endless("HTTP/1.1 200 OK\r\n\r\n")
      case "/chunked": .ok(String(repeating: "y", count: 100_001))
      case "/head": .bytes("HTTP/1.1 200 OK\r\ncontent-length: 999999\r\n\r\n")
      default: .ok(String(repeating: "y", count: 100_000))
      }
    }
    try await Self.run(rules, answer) { fetcher, server in
      for path in ["declared", "endless", "chunked"] {
        let kind = try await Self.kind(fetcher, Request("\(server.url)/\(path)"))
        #expect(kind == .tooLarge(limit: 100_000), "\(path)")
      }
      let exact = try await fetcher.fetch(Request("\(server.url)/exact"))
      let head = try await fetcher.fetch(Request("\(server.url)/head", method: .head))
      #expect(exact.body.count == 100_000 && head.body.isEmpty)
    }
  }

  @Test("Redirects are followed up to the limit, and not at all where none is wanted")
  func redirects() async throws {
    let answer: @Sendable (LoopbackServer.Received) -> LoopbackServer.Reply = { request in
      let left = Int(request.path.dropFirst())!
      return left == 0 ? .ok("there") : .status("302 Found", "go on", ["Location: \(left - 1)"])
    }
    try await Self.run(Self.rules { $0.redirects = 3 }, answer) { fetcher, server in
      let response = try await fetcher.fetch(Request("\(server.url)/3", method: .post, body: [1]))
      #expect(response.text == "there" && response.url == "\(server.url)/0")
      #expect(server.received.map { $0.line.prefix(6) } == ["POST /", "GET /2", "GET /1", "GET /0"])
      #expect(try await Self.kind(fetcher, Request("\(server.url)/4")) == .tooManyRedirects(limit: 3))
    }
    try await Self.run(Self.rules { $0.redirects = 0 }, answer) { fetcher, server in
      let response = try await fetcher.fetch(Request("\(server.url)/2"))
      #expect(response.status == 302 && response.headers["location"] == "1" && server.received.count == 1)
    }
  }

  @Test("Private addresses are refused before anything is sent: as an address, as a name, after a redirect, and where only one of several is private")
  func privateAddresses() async throws {
    let answer: @Sendable (LoopbackServer.Received) -> LoopbackServer.Reply = { request in
      .status("307 Temporary Redirect", "", ["Location: http://\(request.path.dropFirst().removingPercentEncoding!)/"])
    }
    try await Self.run(Self.rules(), answer) { fetcher, server in
      let targets = [
        "private.test:\(server.port)", "mixed.test:\(server.port)", "metadata.test", "localhost.test", "[::1]:\(server.port)",
        "[::ffff:127.0.0.1]:\(server.port)",
        "127.0.0.2:\(server.port)", "0.0.0.0:\(server.port)", "0x7f000002:\(server.port)", "10.1.2.3", "169.254.169.254",
      ]
      for target in targets {
        for url in ["http://\(target)/", "\(server.url)/\(target)"] {
          let before = server.received.count
          switch try await Self.kind(fetcher, Request(url)) {
          case .refused(let reason)?: #expect(reason.contains("only public addresses are reached; allow the host with --fetch-allow "))
          case .network? where target == "localhost.test": break
          case let kind: Issue.record("\(url): \(kind as Any)")
          }
          #expect(server.received.count - before == (url.hasPrefix("\(server.url)/") ? 1 : 0))
        }
      }
    }
    var everything = FetchRules()
    everything.allowedHosts = ["*"]
    try await Self.run(everything, { _ in .ok("in") }) { fetcher, server in
      let response = try await fetcher.fetch(Request(server.url))
      #expect(response.text == "in")
    }
  }

  @Test("A client with a pin connects to the address that was checked, whatever the name leads to, and still names the host")
  func pins() async throws {
    try await LoopbackServer.with({ _ in .ok("pinned") }) { server in
      let clients = try FetchClients(eventLoop: server.group.next(), rules: FetchRules())
      let url = "http://pinned.test:\(server.port)/x"
      let pin = FetchClients.Pin(host: "pinned.test", address: .v4(0x7F00_0001))
      let body = try await clients.with(pin) { client in
        String(buffer: try await client.execute(HTTPClientRequest(url: url), timeout: .seconds(60)).body.collect(upTo: 100))
      }
      #expect(body == "pinned" && server.received.first?.header("host") == "pinned.test:\(server.port)")
      // An address that can't be connected to gives way to the next.
      let unreachable = FetchClients.Pin(host: "pinned.test", address: .v4(0x7F00_0002))
      let second = try await clients.with(anyOf: [unreachable, pin]) { client in
        try await client.execute(HTTPClientRequest(url: url), timeout: .seconds(60)).status.code
      }
      #expect(second == 200 && server.received.count == 2)
      await #expect(throws: (any Error).self) {
        try await clients.with(anyOf: [pin, unreachable]) { client -> Int in throw FetchError(url, .tooLarge(limit: 1)) }
      }
      // Those that are used least go, but for those that are in use.
      try await clients.with(pin) { _ in
        for number in 0..<200 { try await clients.with(FetchClients.Pin(host: "h\(number).test", address: .v4(1))) { _ in } }
        #expect(clients.count == FetchClients.mostKept)
        try await clients.with(pin) { _ in }
        #expect(clients.count == FetchClients.mostKept)
      }
      await clients.shutDown()
      await #expect(throws: CancellationError.self) { try await clients.with(nil) { _ in } }
    }
  }

  @Test("A bad URL is told, and its secrets are not")
  func badURL() async throws {
    try await Self.run(Self.rules(), { _ in .ok("") }) { fetcher, _ in
      do {
        _ = try await fetcher.fetch(Request("http://me:secret@127.0.0.1/x?token=1"))
        Issue.record("credentials in a URL")
      } catch let error as FetchError {
        #expect("\(error)" == "fetching http://127.0.0.1/x: credentials in a URL are refused; send them in the header authorization")
      }
    }
  }
}
