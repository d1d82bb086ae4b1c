/// Who calls: nobody in particular, the holder of the admin key, or somebody whom the app's `TokenVerifier` knows.
///
/// Live queries are shared by callers whose identities are equal, in every member: so an identity holds what functions decide by, and nothing
/// that differs from one token to the next, such as when it was issued.
///
/// It goes into every transaction. Whoever has not signed in costs a flag; what is known of others lies in one object that is shared.
public struct Identity: Sendable, Hashable {
  /// Whether the system functions, and internal functions, may be called.
  public let isAdmin: Bool
  private let user: User?

  public static let anonymous = Identity(isAdmin: false, subject: nil)
  public static let admin = Identity(isAdmin: true, subject: nil)

  /// - Parameters:
  ///   - subject: who it is, as the issuer of its tokens calls them; unique for each issuer.
  ///   - claims: what else functions are to know.
  public init(
    isAdmin: Bool = false, subject: String?, issuer: String? = nil, email: String? = nil, name: String? = nil, claims: ObjectValue = [:]
  ) {
    self.isAdmin = isAdmin
    let isKnown = subject != nil || issuer != nil || email != nil || name != nil || !claims.isEmpty
    user = isKnown ? User(subject: subject, issuer: issuer, email: email, name: name, claims: claims) : nil
  }

  /// Who the caller is, as the verifier of its token says; nil when nobody has signed in.
  public var subject: String? { user?.subject }
  /// Who vouches for that: two issuers may call two people by one subject.
  public var issuer: String? { user?.issuer }
  public var email: String? { user?.email }
  public var name: String? { user?.name }
  /// What else the verifier says of the caller.
  public var claims: ObjectValue { user?.claims ?? [:] }
}

extension Identity {
  private final class User: Sendable, Hashable {
    let subject: String?
    let issuer: String?
    let email: String?
    let name: String?
    let claims: ObjectValue

    init(subject: String?, issuer: String?, email: String?, name: String?, claims: ObjectValue) {
      self.subject = subject
      self.issuer = issuer
      self.email = email
      self.name = name
      self.claims = claims
    }

    static func == (left: User, right: User) -> Bool {
      left === right
        || (left.subject == right.subject && left.issuer == right.issuer && left.email == right.email && left.name == right.name
          && left.claims == right.claims)
    }

    /// Claims that differ for one subject are rare: leaving them out costs nothing but a comparison then.
    func hash(into hasher: inout Hasher) {
      hasher.combine(subject)
      hasher.combine(issuer)
      hasher.combine(email)
    }
  }
}
