import Martlet
import Testing

@testable import MartletServer

@Suite("URLs that are fetched")
struct FetchURLTests {
  @Test(
    "A URL is written in one way",
    arguments: [
      ("http://Example.COM", "http://example.com/"), ("HTTPS://example.com:443/a?b#c", "https://example.com/a?b"), ("http://a.test:80/", "http://a.test/"),
      ("http://a.test:8080?x=1", "http://a.test:8080/?x=1"), ("http://a.test:/x", "http://a.test/x"), ("http://0x7f.1/", "http://127.0.0.1/"),
      ("http://[::1]:81/", "http://[0:0:0:0:0:0:0:1]:81/"), ("http://[::ffff:1.2.3.4]", "http://[0:0:0:0:0:ffff:102:304]/"),
      ("http://a.test/ä b/\"<>|[]^`{}", "http://a.test/%C3%A4%20b/%22%3C%3E%7C%5B%5D%5E%60%7B%7D"), ("http://a.test/%41%zz%4", "http://a.test/%41%25zz%254"),
      ("http://a.test/a:b@c;d=e,f", "http://a.test/a:b@c;d=e,f"), ("http://a_b.test./x", "http://a_b.test./x"), ("http://xn--bcher-kva.test", "http://xn--bcher-kva.test/"),
      ("http://a.test/?q=http://b.test/?x", "http://a.test/?q=http://b.test/?x"),
    ])
  func written(_ text: String, _ written: String) throws {
    let url = try FetchURL(text)
    #expect("\(url)" == written)
    #expect(try FetchURL(written) == url)
  }

  @Test(
    "What two readers might understand in two ways is refused",
    arguments: [
      "", "a.test", "/path", "//a.test", "http:a.test", "http:/a.test", "http://", "http:///path", "http://?x", "ftp://a.test", "file:///etc/passwd",
      "javascript:1", "http+unix://x", "gopher://a.test", "http://u@a.test", "http://u:p@a.test", "http://1.1.1.1 @127.0.0.1/", "http://a.test\\@b.test/",
      "http://a.test\\b", "http://a\tb.test", "http://a.test/\r\nX: y", "http://a.test/\0", " http://a.test", "http://a b.test", "http://bücher.test",
      "http://%31%32%37.0.0.1", "http://a%2eb.test", "http://.a.test", "http://a..test", "http://127.0.0.256", "http://1.2.3.4.5", "http://a.0x7f", "http://a.1",
      "http://a.test:0", "http://a.test:65536", "http://a.test:8a", "http://a.test:-1", "http://a.test:+80", "http://[::1", "http://[::1]x", "http://[127.0.0.1]",
      "http://[fe80::1%25eth0]", "http://::1", "http://①②⑦.⓪.⓪.①", "http://a,b.test", "http://*.test",
    ])
  func refused(_ text: String) { #expect(throws: FetchURL.Problem.self) { try FetchURL(text) } }

  @Test(
    "References are resolved as RFC 3986 has it",
    arguments: [
      ("g", "http://a.test/b/c/g"), ("./g", "http://a.test/b/c/g"), ("g/", "http://a.test/b/c/g/"), ("/g", "http://a.test/g"), ("//g", "http://g/"),
      ("?y", "http://a.test/b/c/d;p?y"), ("g?y", "http://a.test/b/c/g?y"), ("#s", "http://a.test/b/c/d;p?q"), ("", "http://a.test/b/c/d;p?q"),
      (";x", "http://a.test/b/c/;x"), (".", "http://a.test/b/c/"), ("./", "http://a.test/b/c/"), ("..", "http://a.test/b/"), ("../g", "http://a.test/b/g"),
      ("../..", "http://a.test/"), ("../../../g", "http://a.test/g"), ("/./g", "http://a.test/g"), ("/../g", "http://a.test/g"), ("g;x=1/../y", "http://a.test/b/c/y"),
      ("https://b.test:8/x", "https://b.test:8/x"), ("g?a=../x", "http://a.test/b/c/g?a=../x"), ("g:1/x", nil), ("//u@g", nil), ("\\\\g", nil), ("ftp://x", nil),
    ] as [(String, String?)])
  func resolved(_ reference: String, _ result: String?) throws {
    let base = try FetchURL("http://a.test/b/c/d;p?q")
    #expect((try? base.resolving(reference)).map { "\($0)" } == result)
  }

  @Test("Hosts are allowed as the URL names them")
  func allowed() throws {
    var rules = FetchRules()
    rules.allowedHosts = ["127.0.0.1", "Localhost", "*.Internal", "[::1]"]
    for (url, isAllowed) in [
      ("http://127.0.0.1", true), ("http://2130706433", true), ("http://127.0.0.2", false), ("http://localhost:8080", true), ("http://LOCALHOST.", true),
      ("http://a.internal", true), ("http://a.b.internal.", true), ("http://internal", false), ("http://ainternal", false), ("http://a.internal.test", false),
      ("http://[::1]", true), ("http://[::ffff:127.0.0.1]", false), ("http://x.localhost", false),
    ] {
      #expect(rules.allows(try FetchURL(url).host) == isAllowed, "\(url)")
    }
    rules.allowedHosts = ["*"]
    #expect(rules.allows(try FetchURL("http://10.0.0.1").host))
  }

  @Test("A pattern that could match nothing is told")
  func patterns() {
    for pattern in ["127.0.0.1", "localhost", "*.internal", "*", "::1", "[::1]", "a.b_c.test"] { #expect(FetchRules.problem(ofPattern: pattern) == nil, "\(pattern)") }
    for pattern in ["", "a.*", "http://a", "10.0.0.0/8", "*.10.0.0.1", "a b", "u@a", "*.", "a:80", "1.2.3.4.5"] {
      #expect(FetchRules.problem(ofPattern: pattern) != nil, "\(pattern)")
    }
  }
}

@Suite("Redirects")
struct RedirectTests {
  private static let headers: Headers = ["Authorization": "Bearer x", "cookie": "a=1", "content-type": "text/plain", "accept": "*/*"]

  private static func follow(
    _ method: Request.Method, _ status: Int, from: String = "https://a.test/x", to location: String?
  ) throws -> Redirect? {
    let request = Request(from, method: method, headers: headers, body: [1, 2, 3], timeout: .seconds(3))
    return try Redirect(request, at: try FetchURL(from), status: status, location: location)
  }

  @Test("What isn't a redirect, or leads nowhere, is a response")
  func none() throws {
    for status in [200, 201, 204, 300, 304, 305, 306, 400, 500] { #expect(try Self.follow(.get, status, to: "/y") == nil) }
    #expect(try Self.follow(.get, 302, to: nil) == nil)
  }

  @Test("307 and 308 repeat the request; after 303, and after 301 or 302 of a POST, it is a GET without a body")
  func methods() throws {
    for (method, status, becomes) in [
      (.post, 301, .get), (.post, 302, .get), (.post, 303, .get), (.put, 303, .get), (.get, 303, .get), (.head, 303, .head), (.put, 301, .put),
      (.put, 302, .put), (.post, 307, .post), (.delete, 308, .delete),
    ] as [(Request.Method, Int, Request.Method)] {
      let redirect = try #require(try Self.follow(method, status, to: "/y?z"))
      #expect(redirect.request.method == becomes && "\(redirect.url)" == "https://a.test/y?z" && redirect.request.timeout == .seconds(3))
      let losesBody = becomes == .get
      #expect(redirect.request.body == (losesBody ? [] : [1, 2, 3]), "\(method) \(status)")
      #expect((redirect.request.headers["content-type"] == nil) == losesBody && redirect.request.headers["accept"] == "*/*")
      #expect(redirect.request.headers["authorization"] == "Bearer x" && redirect.request.headers["cookie"] == "a=1")
    }
  }

  @Test(
    "Credentials don't go to another origin",
    arguments: [
      ("https://a.test:443/y", true), ("//A.test/y", true), ("https://b.test/y", false), ("https://x.a.test/y", false), ("https://a.test:444/y", false),
      ("https://a.test./y", false),
    ])
  func credentials(_ location: String, _ isSame: Bool) throws {
    let headers = try #require(try Self.follow(.get, 302, to: location)).request.headers
    #expect((headers["authorization"] != nil) == isSame && (headers["cookie"] != nil) == isSame && headers["accept"] != nil)
  }

  @Test("From https to http, and to what isn't fetched, is refused; from http to https is not")
  func schemes() throws {
    for location in ["http://a.test/y", "ftp://a.test", "https://u:p@a.test/", "file:///etc/passwd", "https://a.test\\@b.test"] {
      #expect(throws: FetchError.self, "\(location)") { try Self.follow(.get, 302, to: location) }
    }
    let upgraded = try #require(try Self.follow(.get, 301, from: "http://a.test/x", to: "https://a.test/x"))
    #expect(upgraded.request.headers["authorization"] == nil)
  }
}
