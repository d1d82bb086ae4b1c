import Logging
import MartletWire

/// Who a session speaks for: `auth`, the token of `hello`, and the end of either.
///
/// A session's identity changes between two lines, so each line is one identity's. Its subscriptions move on to the live queries of the new one, which run at
/// the next publication; requests that run or wait already keep the identity that they were sent by.
extension Engine {
  func authenticate(_ id: UnsafeRawBufferPointer, _ token: UnsafeRawBufferPointer, _ session: Session) {
    do throws(WireError) {
      try checkIsFree(id, session)
      adopt(try verify(String(decoding: token, as: UTF8.self)), session)
    } catch {
      return session.tell(self) { $0.writeErrorLine(id: id, error) }
    }
    tellNull(id, session)
  }

  /// Who holds a token; nobody holds the empty one.
  /// - Throws: `unauthenticated`, with a reason in which the token is not.
  func verify(_ token: String) throws(WireError) -> VerifiedToken {
    if token.isEmpty { return VerifiedToken(.anonymous) }
    if let key = configuration.adminKey, isEqualInConstantTime(key, token) { return VerifiedToken(.admin) }
    guard let verifier = configuration.tokens else {
      throw Self.unauthenticated(
        configuration.adminKey == nil
          ? "this server takes no tokens: it has no admin key, and its app knows nobody" : "the token is not the admin key, and the app knows nobody else")
    }
    let verified: VerifiedToken
    do { verified = try verifier.verify(token) } catch {
      let secrets = Secrets()
      secrets.note("token", token)
      if let refusal = error as? TokenRefusal { throw Self.unauthenticated("the token is not accepted: \(secrets.redact(refusal.reason))") }
      logger.warning("a token could not be verified", metadata: ["error": "\(secrets.redact("\(error)"))"])
      throw Self.unauthenticated("the token could not be verified; the details are in the server's log")
    }
    if let end = verified.expiresAt, !(end > wallMilliseconds) { throw Self.unauthenticated("the token has expired") }
    return verified
  }

  private static func unauthenticated(_ reason: String) -> WireError {
    WireError(.unauthenticated, "\(reason); without a token (\"auth <id>\") the connection is anonymous")
  }

  func adopt(_ verified: VerifiedToken, _ session: Session) {
    session.identityEnd = verified.expiresAt ?? .infinity
    scheduleIdentityEnd(session)
    guard verified.identity != session.identity else { return }
    session.identity = verified.identity
    for subscription in session.subscriptions.values.sorted(by: { $0.number < $1.number }) { changeIdentity(of: subscription) }
  }

  // MARK: The end of a token

  /// Makes a session anonymous whose token has ended. Looked for with everything that a session sends; the timer is for those that send nothing.
  func endIdentityIfDue(_ session: Session) {
    guard session.identityEnd <= wallMilliseconds, session.closing == nil else { return }
    adopt(VerifiedToken(.anonymous), session)
    session.tell(self) {
      $0.writeExpiredLine(WireError(.unauthenticated, "the token has expired; the connection is anonymous until it sends \"auth <id> <token>\" again"))
    }
  }

  /// A wall clock may be set, so no timer is trusted for longer.
  private static let longestTimerMilliseconds = 600_000.0

  private func scheduleIdentityEnd(_ session: Session) {
    // One that fires too early looks again.
    guard session.identityEnd < session.identityTimer else { return }
    let wait = min(max(session.identityEnd - wallMilliseconds, 0), Self.longestTimerMilliseconds).rounded(.up)
    session.identityTimer = wallMilliseconds + wait
    let id = session.id
    host.schedule(afterMilliseconds: Int(wait)) { self.assumeIsolated { $0.identityTimerFired(id) } }
  }

  private func identityTimerFired(_ id: SessionID) {
    guard let session = sessions[id] else { return }
    wallMilliseconds = environment.clock.wallMilliseconds()
    session.identityTimer = .infinity
    endIdentityIfDue(session)
    scheduleIdentityEnd(session)
    session.flush()
  }
}

/// Compares secrets without telling by the time it takes where they differ, or how long the first one is.
private func isEqualInConstantTime(_ secret: String, _ text: String) -> Bool {
  let secret = Array(secret.utf8)
  guard !secret.isEmpty else { return false }
  var difference = text.utf8.count ^ secret.count
  var index = 0
  for byte in text.utf8 {
    difference |= Int(byte ^ secret[index])
    index = index + 1 == secret.count ? 0 : index + 1
  }
  return difference == 0
}
