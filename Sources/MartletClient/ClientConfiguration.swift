/// Where a client connects to, and how it behaves when that fails.
public struct ClientConfiguration: Sendable {
  public var host: String
  public var port: Int
  /// A JWT or an admin key, sent when connecting and whenever the connection is made again.
  public var token: String?
  /// Gives the token in place of `token`: asked before each connection is made, and when the server says that the token has ended. For tokens that end.
  /// nil is nobody. If it throws, the attempt has failed, and is made again; the first one fails for good.
  public var tokenProvider: (@Sendable () async throws -> String?)?
  /// For one attempt, until the server's welcome.
  public var connectTimeoutSeconds: Double = 10
  public var backoff = Backoff()
  /// After so long without a connection, requests that wait for one fail, and further ones fail at once until there is one.
  public var offlineTimeoutSeconds: Double = 60
  /// More requests than this without an answer, and the next one fails with `overloaded`.
  public var maximumRequestsInFlight = 16_384
  /// The longest line taken from the server. One that is longer ends the connection.
  public var maximumLineBytes = 64 << 20
  /// Whether the server may send what has changed in a live query's value in place of the whole value. It saves bytes.
  public var acceptsPatches = true

  public init(host: String = "127.0.0.1", port: Int = 7433, token: String? = nil) {
    self.host = host
    self.port = port
    self.token = token
  }

  /// Reads `martlet://host:port`, `host:port` or `host`; an IPv6 address stands in brackets, as in `[::1]:7433`.
  /// The port is 7433 where it is left out. Nil if the text is none of these.
  public init?(url: String, token: String? = nil) {
    var text = Substring(url)
    if let scheme = text.firstRange(of: "://") {
      guard text[..<scheme.lowerBound] == "martlet" else { return nil }
      text = text[scheme.upperBound...]
    }
    if text.hasSuffix("/") { text.removeLast() }
    var host = text
    var port = Substring("7433")
    if text.hasPrefix("[") {
      guard let bracket = text.firstIndex(of: "]") else { return nil }
      host = text[text.index(after: text.startIndex)..<bracket]
      let behind = text[text.index(after: bracket)...]
      if !behind.isEmpty {
        guard behind.first == ":" else { return nil }
        port = behind.dropFirst()
      }
    } else if let colon = text.lastIndex(of: ":") {
      host = text[..<colon]
      port = text[text.index(after: colon)...]
      guard !host.contains(":") else { return nil }
    }
    guard !host.isEmpty, !host.contains(where: { $0 == "/" || $0 == "@" || $0.isWhitespace }) else { return nil }
    guard let number = UInt16(port), number > 0 else { return nil }
    self.init(host: String(host), port: Int(number), token: token)
  }
}

/// How long to wait before connecting again: doubled after each failure up to a bound, and drawn from the upper half
/// of that, so that a server's clients don't all come back in the same moment.
public struct Backoff: Sendable, Hashable {
  public var initialMilliseconds: Double
  public var maximumMilliseconds: Double

  public init(initialMilliseconds: Double = 100, maximumMilliseconds: Double = 10_000) {
    self.initialMilliseconds = initialMilliseconds
    self.maximumMilliseconds = maximumMilliseconds
  }

  /// - Parameters:
  ///   - attempt: 1 for the first attempt after a loss.
  ///   - random: from 0 up to 1.
  func delayMilliseconds(attempt: Int, random: Double) -> Double {
    // Beyond 2^30 the maximum has long been reached, and a shift by more would be undefined as an Int.
    let factor = Double(1 << min(attempt - 1, 30))
    let ceiling = min(initialMilliseconds * factor, maximumMilliseconds)
    return ceiling * (0.5 + random / 2)
  }
}
