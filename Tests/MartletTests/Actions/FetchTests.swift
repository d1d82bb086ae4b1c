import MartletTesting
import MartletValues
import Synchronization
import Testing

@testable import Martlet

@Suite("ctx.fetch")
struct FetchTests {
  @Test("An action sends JSON and headers, and reads the answer as a type of its own, whatever else is in it")
  func exchange() throws {
    let server = try EngineHarness.outside { request in
      .response(Response(status: 201, body: Array(#"{"$meta":{"a":[]},"id":"ch_1","amount":12.5,"more":null}"#.utf8)), after: 40)
    }
    let client = server.connect()
    client.send(#"action a outside:charge {"amount":12.5}"#)
    server.settle()
    #expect(client.take().isEmpty, "it takes 40 ms")
    server.advance(milliseconds: 40)
    server.settle()
    #expect(client.take().map(\.rest) == [#""ch_1""#])
    let request = try #require(server.fetcher?.requests.first)
    #expect(request.method == .post && String(decoding: request.body, as: UTF8.self) == #"{"amount":12.5,"currency":"eur"}"#)
    #expect(request.headers["Content-Type"] == "application/json" && request.headers["authorization"] == "Bearer \(EngineHarness.key)")
  }

  @Test("A fetch that takes longer than its timeout is an error, which names the URL without its query")
  func timeout() throws {
    let server = try EngineHarness.outside { _ in .silence }
    let client = server.connect()
    client.send(#"action a outside:fetch {"url":"https://me:secret@slow.test/path?token=1#x","timeout":250}"#)
    server.advance(milliseconds: 249)
    #expect(client.take().isEmpty)
    server.advance(milliseconds: 1)
    server.settle()
    #expect(client.take().map(\.rest) == [#""fetching https://slow.test/path: no whole answer within 0.25 seconds""#])
  }

  @Test("Cancelling an action cancels its fetch; so does the action's own timeout, and the end of its job")
  func cancellation() throws {
    let server = try EngineHarness.outside { _ in .silence }
    let fetcher = try #require(server.fetcher)
    let client = server.connect()
    client.send(#"action a outside:fetch {"url":"https://silent.test/"}"#)
    server.settle()
    #expect(fetcher.requests.count == 1)
    client.send("cancel a")
    server.settle()
    #expect(fetcher.cancelledCount == 1 && client.take().map(\.code) == ["cancelled"])

    client.send("action b outside:endless")
    server.advance(milliseconds: 1_999)
    #expect(fetcher.cancelledCount == 1)
    server.advance(milliseconds: 1)
    server.settle()
    #expect(fetcher.cancelledCount == 2 && client.take().map(\.code) == ["timeout"])

    #expect(client.ask(server, #"mutation outside:visitAll {"visits":["visit 0 https://silent.test/"]}"#) == "null")
    server.advance(milliseconds: 10)
    #expect(fetcher.requests.count == 3)
    let job = client.ask(server, "query _system:scheduled").firstMatch(of: /"_id":("\w+")/)
    #expect(client.ask(server, #"mutation jobs:cancel {"job":\#(try #require(job).1)}"#) == "null")
    server.settle()
    #expect(fetcher.cancelledCount == 3)
    #expect(server.statistic("actionsRunning") == 0)
  }

  @Test("Errors of a fetch and of a status say whether another try may help, and when")
  func decisions() throws {
    // 2026-11-18, 12:26:40 UTC, is when the simulation begins; the answer comes 2 s later.
    let server = try EngineHarness.outside { request in
      switch request.url.dropFirst("https://x.test/".count) {
      case "lost": .failure(.network("gone"))
      case "bad": .failure(.badURL("no"))
      case "date": .response(Response(status: 429, headers: ["Retry-After": "Wed, 18 Nov 2026 12:27:12 GMT"]), after: 2_000)
      case "seconds": .response(Response(status: 503, headers: ["retry-after": "7"]))
      case let status: .response(Response(status: Int(status)!))
      }
    }
    let client = server.connect()
    for (path, decision) in [
      ("200", "fine"), ("204", "fine"), ("302", "false -"), ("400", "false -"), ("404", "false -"), ("429", "true -"), ("500", "true -"),
      ("lost", "true -"), ("bad", "false -"), ("seconds", "true 7.0 seconds"), ("date", "true 30.0 seconds"),
    ] {
      client.send(#"action a outside:decide {"url":"https://x.test/\#(path)"}"#)
      server.advance(milliseconds: path == "date" ? 2_000 : 0)
      server.settle()
      #expect(client.take().map(\.rest) == ["\"\(decision)\""], "\(path)")
      if path == "seconds" { #expect(server.clock.wallMilliseconds() == SimulatedClock.epochMilliseconds) }
    }
  }

  @Test("The retrier asks the errors of a fetch: 5xx and lost connections are tried again, Retry-After is kept to, another 4xx is final")
  func retries() throws {
    let answers = Mutex<[SimulatedFetcher.Reply]>([])
    let times = Mutex<[Double]>([])
    let clock = Mutex<SimulatedClock?>(nil)
    let server = try EngineHarness.outside { _ in
      times.withLock { $0.append(clock.withLock { $0!.wallMilliseconds() }) }
      return answers.withLock { $0.removeFirst() }
    }
    clock.withLock { $0 = server.clock }
    let client = server.connect()
    answers.withLock {
      $0 = [
        .response(Response(status: 503)), .failure(.network("reset")),
        .response(Response(status: 429, headers: ["retry-after": "600"])), .response(Response(status: 200, body: Array(#"{"id":"c","amount":1}"#.utf8))),
      ]
    }
    _ = client.ask(server, #"mutation outside:chargeUntilDone {"amount":1}"#)
    server.advance(milliseconds: 3_600_000)
    let waits = times.withLock { times in zip(times.dropFirst(), times).map { $0 - $1 } }
    #expect(waits.count == 3 && waits[0] < 60_000 && waits[2] >= 600_000 && waits[2] < 660_000)
    let runs = client.ask(server, #"query _system:documents {"table":"_retries"}"#)
    #expect(runs.contains("success"))

    answers.withLock { $0 = [.response(Response(status: 404))] }
    _ = client.ask(server, #"mutation outside:chargeUntilDone {"amount":2}"#)
    server.advance(milliseconds: 3_600_000)
    #expect(times.withLock { $0.count } == 5 && answers.withLock { $0.isEmpty })
    #expect(client.ask(server, #"query _system:documents {"table":"_retries"}"#).contains("failed"))
  }

  @Test("A request that would be more than one, or speaks for its connection, is not sent")
  func requests() {
    #expect(Request("https://x.test", headers: ["a": "b\tc", "x-y_z": ""]).refusal == nil)
    #expect(Request("https://x.test", method: "PROPFIND").refusal == nil)
    for method: Request.Method in ["", "GET /", "GET\r\n", "CONNECT", "TRACE", "GÉT"] {
      #expect(Request("https://x.test", method: method).refusal != nil, "\(method)")
    }
    for (name, value) in [("a\r\nb", "c"), ("a", "b\r\nc: d"), ("a", "b\nc"), ("a", "\0"), ("", "b"), ("a:", "b"), ("Host", "x"), ("content-length", "0")] {
      let refusal = Request("https://x.test", headers: [name: value]).refusal
      #expect(refusal != nil, "\(name.debugDescription)")
      #expect(refusal?.contains("c: d") != true, "a value is not shown")
    }
  }

  @Test("A server without a fetcher refuses, and sends nothing of a bad request")
  func refusals() throws {
    let server = try EngineHarness(tables: [Counters.self], modules: [CounterFunctions.self, Outside.self], pools: ["one": 1, "two": 1])
    let client = server.connect()
    #expect(client.ask(server, #"action outside:fetch {"url":"https://x.test/"}"#).contains("without anything to fetch by"))
  }
}

@Suite("What a fetch's parts say")
struct FetchPartTests {
  @Test("Header names are compared without regard to case, and may have several values")
  func headers() {
    var headers: Headers = ["Set-Cookie": "a", "X": "1"]
    headers.add("set-cookie", "b")
    #expect(headers["SET-COOKIE"] == "a" && headers.all("Set-cookie") == ["a", "b"] && headers["y"] == nil)
    #expect(headers == ["set-cookie": "a", "x": "1", "SET-COOKIE": "b"])
    headers["set-COOKIE"] = "c"
    #expect(headers.map { "\($0.name)=\($0.value)" } == ["X=1", "set-COOKIE=c"])
    headers["x"] = nil
    #expect(headers.count == 1)
    // Only ASCII letters have a case here: K and the Kelvin sign are two names.
    #expect(Headers(dictionaryLiteral: ("k", "1"))["\u{212A}"] == nil)
  }

  @Test(
    "Retry-After: seconds, or a date in any of the three forms",
    arguments: [
      ("0", 0), ("120", 120), (" 5 ", 5), ("99999999999999999999", 31_622_400), ("Sun, 06 Nov 1994 08:49:37 GMT", 37),
      ("Sunday, 06-Nov-94 08:49:37 GMT", 37), ("Sun Nov  6 08:49:37 1994", 37), ("sun, 06 nov 1994 08:48:37 gmt", 0), ("", nil), ("-5", nil),
      ("1.5", nil), ("soon", nil), ("Sun, 31 Nov 1994 08:49:37 GMT", nil), ("Sun, 06 Nov 1994 24:49:37 GMT", nil), ("Sun, 06 Nov 1994", nil),
      ("5 minutes", nil), ("Sun, 06 Nov 1994 08:49 GMT", nil),
    ] as [(String, Double?)])
  func retryAfter(_ text: String, _ seconds: Double?) {
    // 1994-11-06 08:49:00
    #expect(RetryAfter.seconds(text, since: 784_111_740_000) == seconds)
  }

  @Test("Dates: leap days, month ends and the two centuries of two digits")
  func dates() {
    #expect(HTTPDate.milliseconds("Thu, 01 Jan 1970 00:00:00 GMT") == 0)
    #expect(HTTPDate.milliseconds("Thu, 29 Feb 2024 00:00:00 GMT") == 1_709_164_800_000)
    #expect(HTTPDate.milliseconds("Thu, 29 Feb 2023 00:00:00 GMT") == nil)
    #expect(HTTPDate.milliseconds("Mon, 29 Feb 2100 00:00:00 GMT") == nil)
    #expect(HTTPDate.milliseconds("Thu, 31 Dec 2026 23:59:60 GMT") == 1_798_761_600_000)
    #expect(HTTPDate.milliseconds("Thursday, 01-Jan-70 00:00:00 GMT") == 0)
    #expect(HTTPDate.milliseconds("Saturday, 01-Jan-69 00:00:00 GMT") == 3_124_224_000_000)
  }

  @Test(
    "A URL is shown without query, fragment and credentials",
    arguments: [
      ("https://a.test/b/c?key=1", "https://a.test/b/c"), ("https://u:p@a.test/b@c#f", "https://a.test/b@c"), ("https://u:p@x@a.test", "https://a.test"),
      ("nonsense", "nonsense"), ("mailto:me@a.test", "a.test"), ("http://a\r\nb", "http://a\u{FFFD}\u{FFFD}b"), ("", ""),
    ])
  func shown(_ url: String, _ shown: String) { #expect(FetchError.shown(url) == shown) }

  @Test("A status error keeps the beginning of the body")
  func excerpt() {
    let response = Response(status: 500, body: Array(String(repeating: "words, ", count: 700).utf8), url: "https://a.test/?key=1")
    do throws(HTTPStatusError) {
      try response.requireSuccess()
      Issue.record("500 is no success")
    } catch {
      #expect(error.body.utf8.count == 1_022 && error.url == "https://a.test/" && !"\(error)".contains("key"))
    }
  }

  @Test("A body that is no JSON, or more than one value, is an error; a type's members are checked")
  func bodies() throws {
    struct Point: Decodable { var x: Double }
    func response(_ body: String) -> Response { Response(status: 200, body: Array(body.utf8)) }
    #expect(try response(#" {"x":1,"$y":[2]} "#).json()["$y"]?[0] == 2)
    #expect(try response(#"{"x":1,"y":{"z":2}}"#).decode(as: Point.self).x == 1)
    #expect(try response(#"[{"x":1},{"x":2}]"#).decode(as: [Point].self).map(\.x) == [1, 2])
    #expect(try response("3").decode(.wholeNumber) == 3)
    for body in ["", "{", "<html>", "{}{}", #"{"x":"1"}"#, "{}"] {
      #expect(throws: (any Error).self) { try response(body).decode(as: Point.self) }
    }
    for body in ["", "{", "<html>", "{}{}"] { #expect(throws: JSONError.self) { try response(body).json() } }
  }
}
