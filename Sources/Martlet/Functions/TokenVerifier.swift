/// Says who holds a token: what an app that lets people sign in gives to its server.
///
/// ```swift
/// struct Tickets: TokenVerifier {
///   func verify(_ token: String) throws -> VerifiedToken {
///     guard let ticket = Ticket(token) else { throw TokenRefusal("it is no ticket") }
///     return VerifiedToken(Identity(subject: ticket.holder), expiresAt: ticket.end)
///   }
/// }
/// ```
///
/// It is asked at `auth` and at a `hello` with a token, once each, and not for the admin key. It is synchronous, and runs on the engine's thread: the line
/// behind `auth` in the same packet runs as the new identity, and everybody waits meanwhile. Checking a signature is some ten to hundred microseconds.
/// What needs the network, such as an issuer's keys, is fetched beforehand and beside, and kept.
public protocol TokenVerifier: Sendable {
  /// - Throws: `TokenRefusal`, whose reason the client is told. Of any other error it learns only that the token could not be verified; the server's log
  ///   has the rest. Where a reason holds the token itself, that is taken out.
  func verify(_ token: String) throws -> VerifiedToken
}

/// What a token says.
public struct VerifiedToken: Sendable, Hashable {
  public var identity: Identity
  /// When it ends, in milliseconds since 1970: from then on the connection is anonymous. nil for never.
  public var expiresAt: Double?

  public init(_ identity: Identity, expiresAt: Double? = nil) {
    self.identity = identity
    self.expiresAt = expiresAt
  }
}

/// Why a token is not accepted, in words for its holder: "it was issued for another server".
public struct TokenRefusal: Error, Sendable, Hashable, CustomStringConvertible {
  public var reason: String
  public init(_ reason: String) { self.reason = reason }
  public var description: String { reason }
}
