import MartletTesting
import MartletValues
import Testing

@testable import Martlet

private enum Limited: FunctionModule {
  static let path = "limited"
  static let functions: [any ServerFunction] = [window, bucket, sharded, require, requireThenFail, left, reset, tooMuch]

  static let windowLimit = RateLimit("window", .fixedWindow(3, per: .seconds(10)))
  static let bucketLimit = RateLimit("bucket", .tokenBucket(2, per: .seconds(10), capacity: 4))
  static let shardedLimit = RateLimit("sharded", .fixedWindow(40, per: .seconds(10)), shards: 4)

  static func told(_ decision: RateDecision) -> String {
    switch decision {
    case .allowed: "allowed"
    case .refused(let wait): "in \(Int(wait.inMilliseconds)) ms"
    }
  }

  static let window = Mutation("window", Arg("key", .string), Arg("count", .double, default: 1)) { ctx, key, count in
    told(try ctx.rateLimiter.use(windowLimit, key: key, count: count))
  }
  static let bucket = Mutation("bucket", Arg("key", .string), Arg("count", .double, default: 1)) { ctx, key, count in
    told(try ctx.rateLimiter.use(bucketLimit, key: key, count: count))
  }
  static let sharded = Mutation("sharded") { ctx in told(try ctx.rateLimiter.use(shardedLimit)) }
  static let require = Mutation("require", Arg("key", .string)) { ctx, key in try ctx.rateLimiter.require(windowLimit, key: key) }
  static let requireThenFail = Mutation("requireThenFail", Arg("key", .string)) { ctx, key in
    try ctx.rateLimiter.require(windowLimit, key: key)
    throw ApplicationError("taken back")
  }
  static let left = Mutation("left", Arg("key", .string)) { ctx, key in try ctx.rateLimiter.left(of: windowLimit, key: key) }
  static let reset = Mutation("reset", Arg("key", .string)) { ctx, key in try ctx.rateLimiter.reset(windowLimit, key: key) }
  static let tooMuch = Mutation("tooMuch") { ctx in told(try ctx.rateLimiter.use(windowLimit, count: 4)) }
}

/// The simulated clock begins at a whole multiple of ten seconds.
@Suite("Rate limits")
struct RateLimitTests {
  static func server() throws -> (EngineHarness, InProcessClient) {
    let server = try EngineHarness(tables: [], modules: [Limited.self])
    return (server, server.connect())
  }

  static func ask(_ client: InProcessClient, _ server: EngineHarness, _ function: String, _ key: String = "a", _ more: String = "") -> String {
    client.ask(server, #"mutation limited:\#(function) {"key":"\#(key)"\#(more)}"#)
  }

  @Test("A window has its number and no more, for each key, and the next window has it again")
  func window() throws {
    let (server, client) = try Self.server()
    server.advance(milliseconds: 4_000)
    for _ in 0..<3 { #expect(Self.ask(client, server, "window") == "\"allowed\"") }
    #expect(Self.ask(client, server, "window") == "\"in 6000 ms\"")
    #expect(Self.ask(client, server, "window", "b") == "\"allowed\"")
    server.advance(milliseconds: 5_999)
    #expect(Self.ask(client, server, "window") == "\"in 1 ms\"")
    server.advance(milliseconds: 1)
    #expect(Self.ask(client, server, "left") == "3")
    #expect(Self.ask(client, server, "window", "a", #","count":3"#) == "\"allowed\"")
    #expect(Self.ask(client, server, "window") == "\"in 10000 ms\"")
    #expect(Self.ask(client, server, "reset") == "null")
    #expect(Self.ask(client, server, "window") == "\"allowed\"")
  }

  @Test("A bucket fills evenly, up to its capacity, and says when there is enough")
  func bucket() throws {
    let (server, client) = try Self.server()
    #expect(Self.ask(client, server, "bucket", "a", #","count":4"#) == "\"allowed\"")
    #expect(Self.ask(client, server, "bucket") == "\"in 5000 ms\"")
    server.advance(milliseconds: 2_500)
    #expect(Self.ask(client, server, "bucket") == "\"in 2500 ms\"")
    server.advance(milliseconds: 2_500)
    #expect(Self.ask(client, server, "bucket") == "\"allowed\"")
    #expect(Self.ask(client, server, "bucket") == "\"in 5000 ms\"")
    server.advance(milliseconds: 1_000_000)
    #expect(Self.ask(client, server, "bucket", "a", #","count":4"#) == "\"allowed\"")
    #expect(Self.ask(client, server, "bucket", "a", #","count":0.5"#) == "\"in 2500 ms\"")
  }

  @Test("A mutation that throws has used up nothing; a refusal is an error for the caller with the time to wait")
  func transactional() throws {
    let (server, client) = try Self.server()
    for _ in 0..<5 { #expect(Self.ask(client, server, "requireThenFail") == "application: taken back") }
    for _ in 0..<3 { #expect(Self.ask(client, server, "require") == "null") }
    client.send(#"mutation m limited:require {"key":"a"}"#)
    server.settle()
    let line = try #require(client.take().last)
    #expect(line.message == "too many window; try again in 10 s")
    #expect(line.rest.contains(#""data":{"code":"rate_limited","limit":"window","retryAfterMs":10000}"#))
    #expect(
      client.ask(server, "mutation limited:tooMuch")
        == "invalid_arguments: rate limit window: 4.0 can't be used at once; more than 0 can, and 3.0 at most")
    try server.crash()
    #expect(Self.ask(server.connect(), server, "left") == "0", "it survives a restart")
  }

  @Test("Shards never allow more than the limit, and nearly as much")
  func sharded() throws {
    let (server, client) = try Self.server()
    var allowed = 0
    for _ in 0..<400 where client.ask(server, "mutation limited:sharded") == "\"allowed\"" { allowed += 1 }
    #expect(allowed == 40)
    #expect(client.ask(server, #"query _system:documents {"table":"_rate_limits"}"#).split(separator: #""name":"sharded""#).count == 5)
  }
}
