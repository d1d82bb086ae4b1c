import Martlet

/// What queries and mutations have in common, as far as who calls is concerned.
protocol KnowsCaller {
  associatedtype Database: ReadsDatabase
  var db: Database { get }
  var identity: Identity { get }
  var now: Double { get }
}

extension QueryContext: KnowsCaller {}
extension MutationContext: KnowsCaller {}

extension KnowsCaller {
  /// Who is signed in; nil where nobody is.
  ///
  /// The session is looked up each time, by an index. So signing out ends at once what a token allows, also for live
  /// queries: they have read the session, and run again when it is deleted.
  func signedIn() throws -> Document<Users>? {
    guard case .string(let token)? = identity.claims[SessionTokens.claim] else { return nil }
    let session = try db.query(Sessions.self).withIndex(\.byToken) { $0.eq(\.token, token) }.first()
    guard let session, session.expiresAt > now else {
      throw ApplicationError("The session is over; sign in again", data: ["code": "signed_out"])
    }
    guard let user = try db.find(session.userId) else { throw ApplicationError("User not found") }
    return user
  }

  /// Who is signed in, or else the guest, whom all share who haven't (a person with `nc`); nil where there has been no
  /// guest yet.
  func customer() throws -> Document<Users>? {
    if let user = try signedIn() { return user }
    return try db.user(email: guestEmail)
  }

  /// The order, if it is the caller's to change: customers have their own, and admins all. Who hasn't signed in isn't held
  /// to that, so that the demo can be played with.
  func requireOwn(_ order: Document<Orders>) throws -> Document<Orders> {
    guard let user = try signedIn(), user.id != order.userId, user.role != .admin else { return order }
    throw ApplicationError("This is somebody else's order")
  }
}

private let guestEmail = "guest@example.com"

extension MutationContext {
  /// The customer. The first who orders as a guest makes the guest.
  func currentUser() throws -> ID<Users> {
    if let user = try customer() { return user.id }
    return try db.insert(Users.self) {
      $0.name = "Guest"
      $0.email = guestEmail
      $0.role = .user
      $0.createdAt = now
    }
  }
}

extension ReadsDatabase {
  func user(email: String) throws -> Document<Users>? {
    try query(Users.self).withIndex(\.byEmail) { $0.eq(\.email, email) }.first()
  }
}
