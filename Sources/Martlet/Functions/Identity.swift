/// Who calls: nobody in particular, or the holder of the admin key.
public struct Identity: Sendable, Hashable {
  /// Whether the system functions, and internal functions, may be called.
  public let isAdmin: Bool
  /// Who the caller is, as the verifier of its token says; nil when nobody has signed in.
  public let subject: String?
  public let email: String?

  public static let anonymous = Identity(isAdmin: false, subject: nil, email: nil)
  public static let admin = Identity(isAdmin: true, subject: nil, email: nil)

  public init(isAdmin: Bool = false, subject: String?, email: String? = nil) {
    self.isAdmin = isAdmin
    self.subject = subject
    self.email = email
  }
}
