import Testing

@testable import MartletClient

@Suite("Addresses and pauses")
struct ClientConfigurationTests {
  @Test(
    "An address is a URL, host and port, or a host",
    arguments: [
      ("martlet://db.example:9000", "db.example", 9000), ("martlet://db.example/", "db.example", 7433),
      ("127.0.0.1:1", "127.0.0.1", 1), ("localhost", "localhost", 7433), ("[::1]:80", "::1", 80), ("[::1]", "::1", 7433),
    ])
  func addresses(url: String, host: String, port: Int) throws {
    let configuration = try #require(ClientConfiguration(url: url))
    #expect(configuration.host == host)
    #expect(configuration.port == port)
  }

  @Test(
    "What is no address is refused",
    arguments: ["", ":80", "http://x", "x:", "x:0", "x:65536", "x:y", "::1", "[::1", "[::1]x", "a@b:1", "a/b:1", "a b"])
  func noAddress(url: String) {
    #expect(ClientConfiguration(url: url) == nil)
  }

  @Test("Pauses double up to their bound, and spread over their upper half")
  func backoff() {
    let backoff = Backoff(initialMilliseconds: 100, maximumMilliseconds: 1000)
    let longest = (1...6).map { backoff.delayMilliseconds(attempt: $0, random: 1) }
    #expect(longest == [100, 200, 400, 800, 1000, 1000])
    #expect(backoff.delayMilliseconds(attempt: 1, random: 0) == 50)
    #expect(backoff.delayMilliseconds(attempt: .max, random: 0.5) == 750)
  }
}
