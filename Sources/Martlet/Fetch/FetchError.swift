/// Why `ctx.fetch` has no response to give.
///
/// What reaches a client of it is `function_failed`; whole, it stands in the server's log. So it names the URL without query and credentials.
public struct FetchError: Error, Sendable, Hashable, RetryDecision, CustomStringConvertible {
  public enum Kind: Sendable, Hashable {
    /// The server didn't answer, or not to the end, in this time.
    case timeout(Duration)
    /// The answer has more bytes than this.
    case tooLarge(limit: Int)
    /// It was not sent, or a redirect was not followed, since a rule is against it.
    case refused(String)
    /// The other server, or the way to it, failed.
    case network(String)
    case badURL(String)
    /// More redirects than this.
    case tooManyRedirects(limit: Int)
  }

  /// Without its query, and without credentials.
  public let url: String
  public let kind: Kind

  public init(_ url: String, _ kind: Kind) {
    self.url = Self.shown(url)
    self.kind = kind
  }

  public var isRetryable: Bool {
    switch kind {
    case .timeout, .network: true
    case .tooLarge, .refused, .badURL, .tooManyRedirects: false
    }
  }

  public var description: String {
    switch kind {
    case .timeout(let time): "fetching \(url): no whole answer within \(time)"
    case .tooLarge(let limit): "fetching \(url): the answer has more than \(limit) bytes; the server's FetchRules say how many it may have"
    case .refused(let reason), .network(let reason), .badURL(let reason): "fetching \(url): \(reason)"
    case .tooManyRedirects(let limit): "fetching \(url): more than \(limit) redirects"
    }
  }
}

extension FetchError {
  /// A URL as it may be shown: query, fragment and credentials are left out, and what is long is cut.
  static func shown(_ url: String) -> String {
    var rest = url.prefix { $0 != "?" && $0 != "#" }
    var start = Substring()
    if let scheme = rest.range(of: "://") {
      start = rest[..<scheme.upperBound]
      rest = rest[scheme.upperBound...]
    }
    let authority = rest.prefix { $0 != "/" && $0 != "\\" }
    let path = rest[authority.endIndex...]
    let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
    let shown = (start + host + path).unicodeScalars.map { $0.value < 32 || $0.value == 127 ? "\u{FFFD}" : Character($0) }
    return shown.count > 200 ? String(shown.prefix(200)) + "…" : String(shown)
  }
}

extension Substring {
  fileprivate func range(of word: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(word) { return start..<index(start, offsetBy: word.count) }
      start = index(after: start)
    }
    return nil
  }
}
