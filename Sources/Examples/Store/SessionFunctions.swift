import Martlet

/// What a client signs in with: `<key of the session>.<end, in milliseconds>`.
///
/// A verifier runs on the server's own thread, and can't look anything up. This one looks at the token's form and passes
/// it on; that there is such a session each function finds out by itself (`signedIn()`). So nobody gains by making tokens
/// up, a later end included: they lead to no session.
public struct SessionTokens: TokenVerifier {
  static let claim = "session"

  public init() {}

  public func verify(_ token: String) throws -> VerifiedToken {
    let parts = token.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].utf8.count == 36, let end = Double(parts[1]), end.isFinite else {
      throw TokenRefusal("it is none of this shop's; sessions:open gives them out")
    }
    return VerifiedToken(Identity(subject: nil, issuer: "store", claims: [Self.claim: .string(token)]), expiresAt: end)
  }
}

public enum SessionFunctions: FunctionModule {
  public static let path = "sessions"
  public static let functions: [any ServerFunction] = [open, mine, signOut, deleteExpired]

  /// Makes a session and answers its token. For the shop's sign-in page, which has found out who it is (by a password, by a
  /// link that was mailed), and holds the admin key.
  public static let open = Mutation(
    "open", Arg("email", .string), Arg("hours", .double, default: 24 * 30), visibility: .internal
  ) { ctx, email, hours in
    guard let user = try ctx.db.user(email: email) else { throw ApplicationError("User not found") }
    guard hours > 0, hours <= 24 * 365 else { throw ApplicationError("hours must be more than 0, and a year at most") }
    let end = (ctx.now + hours * 3_600_000).rounded()
    let token = "\(ctx.uuid).\(Int64(end))"
    try ctx.db.insert(Sessions.self) {
      $0.userId = user.id
      $0.token = token
      $0.expiresAt = end
      $0.createdAt = ctx.now
    }
    return token
  }

  /// When the caller's sessions end, the latest last.
  public static let mine = Query("mine") { ctx -> [Double] in
    guard let user = try ctx.signedIn() else { return [] }
    return try ctx.db.query(Sessions.self).withIndex(\.byUserId) { $0.eq(\.userId, user.id) }.take(100).map(\.expiresAt).sorted()
  }

  /// Ends the session that the caller signed in with.
  public static let signOut = Mutation("signOut") { ctx in
    guard try ctx.signedIn() != nil, case .string(let token)? = ctx.identity.claims[SessionTokens.claim] else { return }
    let session = try ctx.db.query(Sessions.self).withIndex(\.byToken) { $0.eq(\.token, token) }.first()
    if let session { try ctx.db.delete(session.id) }
  }

  /// How many sessions are deleted in one transaction.
  static let batch = 100

  /// Deletes what has expired, a batch in each transaction; where there is more, it has itself run again.
  public static let deleteExpired: Mutation<Int> = Mutation("deleteExpired", visibility: .internal) { ctx -> Int in
    let expired = try ctx.db.query(Sessions.self).withIndex(\.byExpiresAt) { $0.lte(\.expiresAt, ctx.now) }.take(batch)
    for session in expired { try ctx.db.delete(session.id) }
    if expired.count == batch { try ctx.scheduler.run(after: .zero, deleteExpired()) }
    return expired.count
  }
}
