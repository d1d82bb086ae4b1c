import AsyncHTTPClient
import Foundation
import Martlet
import NIOCore
import TestServers
import Testing

@testable import MartletServer

@Suite("Fetching over TLS, from a server whose certificate nobody signed but itself")
struct FetchTrustTests {
  private static func run(
    trusting paths: [String], certificate: TestCertificate? = .loopback, connectTimeout: Duration = .seconds(60),
    _ body: (ServerFetcher, LoopbackServer) async throws -> Void
  ) async throws {
    try await LoopbackServer.with(certificate: certificate, { _ in .ok("in private") }) { server in
      var rules = FetchRules()
      rules.allowedHosts = ["127.0.0.1"]
      rules.connectTimeout = connectTimeout
      rules.trustedCertificates = paths
      let fetcher = try ServerFetcher(eventLoop: server.group.next(), rules: rules)
      do { try await body(fetcher, server) } catch {
        await fetcher.shutDown()
        throw error
      }
      await fetcher.shutDown()
    }
  }

  private static func failure(_ fetcher: ServerFetcher, _ url: String) async throws -> FetchError? {
    do {
      let response = try await fetcher.fetch(Request(url))
      Issue.record("\(url) was answered with \(response.status)")
      return nil
    } catch let error as FetchError {
      return error
    }
  }

  @Test("One that isn't trusted is refused, for good, before anything is sent, and the error says how to trust it")
  func untrusted() async throws {
    try await Self.run(trusting: []) { fetcher, server in
      let error = try #require(try await Self.failure(fetcher, "\(server.url)/secret?token=1"))
      #expect(!error.isRetryable && server.received.isEmpty)
      #expect(
        "\(error)"
          == "fetching \(server.url)/secret: the certificate of 127.0.0.1 is not trusted: it has expired, or no known authority signed it; "
          + "to trust its authority, start the server with --fetch-trust FILE, a PEM file")
    }
  }

  @Test("One that is trusted is asked, and others beside it as before")
  func trusted() async throws {
    try await Self.run(trusting: [TestCertificate.loopback.path]) { fetcher, server in
      for _ in 0..<2 {
        let response = try await fetcher.fetch(Request("\(server.url)/secret", headers: ["x-key": "1"]))
        #expect(response.status == 200 && response.text == "in private")
      }
      #expect(server.received.map { $0.header("x-key") } == ["1", "1"])
    }
    try await Self.run(trusting: [TestCertificate.loopback.path], certificate: nil) { fetcher, server in
      let response = try await fetcher.fetch(Request(server.url))
      #expect(response.text == "in private")
    }
  }

  @Test("A certificate is good for its own hosts only")
  func otherHost() async throws {
    try await Self.run(trusting: [TestCertificate.named.path], certificate: .named) { fetcher, server in
      let error = try #require(try await Self.failure(fetcher, server.url))
      #expect("\(error)" == "fetching \(server.url)/: the certificate of 127.0.0.1 is for another host")
      #expect(!error.isRetryable && server.received.isEmpty)
    }
  }

  @Test("With a pin the certificate is the name's, not the address's")
  func pins() async throws {
    try await LoopbackServer.with(certificate: .named, { _ in .ok("pinned") }) { server in
      var rules = FetchRules()
      rules.trustedCertificates = [TestCertificate.named.path]
      let clients = try FetchClients(eventLoop: server.group.next(), rules: rules)
      for (host, isRight) in [("pinned.test", true), ("other.test", false)] {
        do {
          let status = try await clients.with(FetchClients.Pin(host: host, address: .v4(0x7F00_0001))) { client in
            try await client.execute(HTTPClientRequest(url: "https://\(host):\(server.port)/"), timeout: .seconds(60)).status.code
          }
          #expect(status == 200 && isRight)
        } catch {
          #expect(!isRight && FetchTrust.problem(error, of: host) == "the certificate of other.test is for another host", "\(error)")
        }
      }
      #expect(server.received.count == 1)
      await clients.shutDown()
    }
  }

  @Test("A server that doesn't answer in TLS is left after the time for connecting; another try may help")
  func noTLS() async throws {
    try await Self.run(trusting: [], certificate: nil, connectTimeout: .milliseconds(200)) { fetcher, server in
      let error = try #require(try await Self.failure(fetcher, "https://127.0.0.1:\(server.port)/"))
      #expect(error.kind == .timeout(.milliseconds(200)) && error.isRetryable)
    }
  }

  @Test("A file without certificates, or none at all, keeps the server from starting, and is named", arguments: ["/nowhere.pem", TestCertificate.loopback.keyPath])
  func badFile(_ path: String) async throws {
    var configuration = ServerConfiguration()
    configuration.dataPath = FileManager.default.temporaryDirectory.appending(path: "martlet-\(UUID().uuidString)").path
    configuration.fetch.trustedCertificates = [TestCertificate.loopback.path, path]
    let server = MartletServer(tables: [], modules: [], configuration: configuration, logger: .init(label: "test"))
    do {
      try await server.run()
      Issue.record("it started")
    } catch let error as ServerError {
      #expect(error.message == "can't read certificates to trust from \(path): it must be a PEM file, with BEGIN CERTIFICATE in it")
    }
    #expect(!FileManager.default.fileExists(atPath: configuration.dataPath))
  }
}
