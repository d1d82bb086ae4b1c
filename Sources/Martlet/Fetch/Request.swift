/// What an action asks another server for.
///
/// ```swift
/// var request = Request("https://api.example.com/charges", method: .post, timeout: .seconds(10))
/// request.headers["authorization"] = "Bearer \(try ctx.environment.require("PAYMENTS_KEY"))"
/// request.setJSON(["amount": 1250, "currency": "eur"])
/// let response = try await ctx.fetch(request)
/// ```
public struct Request: Sendable, Equatable {
  /// A method is any word; those that are common have names.
  public struct Method: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }
    public init(stringLiteral value: String) { rawValue = value }
    public var description: String { rawValue }

    public static let get: Method = "GET"
    public static let head: Method = "HEAD"
    public static let post: Method = "POST"
    public static let put: Method = "PUT"
    public static let patch: Method = "PATCH"
    public static let delete: Method = "DELETE"
    public static let options: Method = "OPTIONS"
  }

  public var method: Method
  /// `http` or `https`, whole.
  public var url: String
  public var headers: Headers
  public var body: [UInt8]
  /// How long all of it may take, redirects included; nil for what the server's `FetchRules` say.
  public var timeout: Duration?

  public init(_ url: String, method: Method = .get, headers: Headers = [:], body: [UInt8] = [], timeout: Duration? = nil) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.timeout = timeout
  }

  /// Makes a value's JSON the body, and says so in `content-type` unless that is set.
  ///
  /// It is written as on Martlet's own wire: an `Int` and a `Double` are numbers there, an `Int64` and `Bytes` are not.
  public mutating func setJSON(_ value: some WireValue) {
    var writer = JSONWriter()
    value.encode(to: &writer)
    body = writer.bytes
    if headers["content-type"] == nil { headers["content-type"] = "application/json" }
  }

  /// The same for a value that is written down: `["amount": 1250]`.
  public mutating func setJSON(_ value: Value) {
    var writer = JSONWriter()
    writer.write(value: value)
    body = writer.bytes
    if headers["content-type"] == nil { headers["content-type"] = "application/json" }
  }

  /// Makes the fields of a form the body, in their order, and says so in `content-type` unless that is set.
  ///
  /// A name may come several times: `["expand[]": "customer", "expand[]": "invoice"]`. Escaped is what browsers escape in a form.
  public mutating func setForm(_ fields: KeyValuePairs<String, String>) {
    var form: [UInt8] = []
    for (name, value) in fields {
      if !form.isEmpty { form.append(UInt8(ascii: "&")) }
      Self.append(name, to: &form)
      form.append(UInt8(ascii: "="))
      Self.append(value, to: &form)
    }
    body = form
    if headers["content-type"] == nil { headers["content-type"] = "application/x-www-form-urlencoded" }
  }

  private static func append(_ text: String, to form: inout [UInt8]) {
    let digits = Array("0123456789ABCDEF".utf8)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "*"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
        form.append(byte)
      case UInt8(ascii: " "): form.append(UInt8(ascii: "+"))
      default: form += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
  }
}

extension Request {
  /// What speaks of one connection is the server's to say.
  private static let ownHeaders = [
    "host", "content-length", "transfer-encoding", "connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade",
  ]

  /// Why this can't be sent, whatever its URL: a method or a header that would be more than one. Nil for a request that is in order.
  package var refusal: String? {
    guard method.rawValue.isToken, method != "CONNECT", method != "TRACE" else { return "\"\(method)\" is no method that can be sent" }
    for (name, value) in headers {
      guard name.isToken else { return "a header can't be called \(name.debugDescription)" }
      if let own = Self.ownHeaders.first(where: { Headers.isSame($0, name) }) {
        return "the header \(own) is written by the server itself; leave it out"
      }
      // Its value is perhaps a secret, so it isn't shown.
      guard value.utf8.allSatisfy({ $0 == 9 || $0 >= 32 && $0 != 127 }) else {
        return "the header \(name) has a line break or another control character in it"
      }
    }
    return nil
  }
}

extension String {
  /// A word as RFC 9110 has it.
  fileprivate var isToken: Bool {
    !isEmpty
      && utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
      }
  }
}
