/// What actions may fetch, and how long and how much: a server's rules for `ctx.fetch`.
///
/// By default only public addresses are reached. What an action fetches is often chosen by somebody else (a webhook's URL, a picture's), and from
/// here the machine's own services answer, its cloud's metadata, and those of its network, which trust who is near.
public struct FetchRules: Sendable, Hashable {
  /// How long a request may take in all, redirects included, if it doesn't say itself.
  public var timeout = Duration.seconds(30)
  /// How long a connection may take to be made, TLS included.
  public var connectTimeout = Duration.seconds(10)
  /// The most bytes that a response's body may have. The rest of a longer one isn't read.
  public var responseBytes = 16 << 20
  /// How many redirects are followed. With 0 none is: the response is the redirect.
  public var redirects = 5
  /// Hosts that may be reached although their addresses are private, as URLs name them: `127.0.0.1`, `localhost`, `*.internal`; `*` for all.
  public var allowedHosts: [String] = []
  /// PEM files with certificates of authorities that are believed beside the system's: a company's own, a test's.
  public var trustedCertificates: [String] = []

  public init() {}
}
