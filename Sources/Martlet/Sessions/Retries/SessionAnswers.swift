/// The answers that mutations under a session were given, so that one which is sent again after a broken connection, or to the restarted server, is
/// not run again but answered as it was (promise 6 of the protocol). One document each, a part of the same commit as the mutation's writes.
///
/// The newest 1,000 of each session are kept, for 24 hours.
struct SessionAnswers: Table {
  static let name = "_session_answers"

  let session = Field(.string)
  /// The id that the client gave the request.
  let request = Field(.string)
  let function = Field(.string)
  /// The answer's JSON as it was sent, or the error's.
  let answer = Field(.string)
  let isError = Field(.boolean)
  /// Of the mutation's commit.
  let timestamp = Field(.double)

  let byRequest = Index("by_request", \SessionAnswers.session, \SessionAnswers.request)
  let bySession = Index("by_session", \SessionAnswers.session)

  static let keptPerSession = 1_000
  static let keptMilliseconds = 86_400_000.0
  /// After how many mutations of one connection its session's oldest answers are looked at.
  static let mutationsBetweenRemovals = 100
  /// How many are removed in one commit.
  static let mostRemoved = 500

  /// Removes the oldest answers of a session that has more than are kept.
  static let removeOldest = FunctionDefinition(
    name: "_system:removeOldestAnswers", visibility: .internal, arguments: [("session", .string)], limits: Limits.ofServer,
    body: .mutation { context, arguments, answer in
      let session = try arguments.take("session", Validator.string)
      let kept = try context.db.query(SessionAnswers.self).withIndex(\.bySession) { $0.eq(\.session, session) }
      let surplus = try kept.count() - keptPerSession
      if surplus > 0 { try remove(kept.take(min(surplus, mostRemoved)), context) }
      answer.writeNull()
    })

  /// Removes answers of all sessions up to a time, the oldest first.
  static let removeOld = FunctionDefinition(
    name: "_system:removeOldAnswers", visibility: .internal, arguments: [("upTo", .float64)], limits: Limits.ofServer,
    body: .mutation { context, arguments, answer in
      let time = try arguments.take("upTo", Validator.double)
      let old = try context.db.query(SessionAnswers.self).withIndex("by_creation_time") { $0.lte("_creationTime", .float64(time)) }.take(mostRemoved)
      try remove(old, context)
      answer.writeNull()
    })

  private static func remove(_ answers: [Document<SessionAnswers>], _ context: MutationContext) throws {
    try context.transaction.asServer { db in for answer in answers { try db.delete(answer.id) } }
  }
}

/// What names a mutation for good: the client's name for itself, and its name for the request.
struct SessionRequest: Sendable {
  var session: String
  var request: String
}

/// An answer on its way into the table: entered by the commit, which knows the timestamp.
struct SessionAnswer {
  var key: SessionRequest
  var function: String
  var json: [UInt8]
  var isError: Bool

  func document(id: DocumentID, creationTime: Double, timestamp: UInt64, _ builder: inout DocumentBuilder) -> DocumentStorage {
    builder.begin()
    builder.append(name: "_creationTime") { $0.write(double: creationTime) }
    builder.append(name: "_id") { $0.write(id: id) }
    builder.append(name: "answer") { $0.write(string: String(decoding: json, as: UTF8.self)) }
    builder.append(name: "function") { $0.write(string: function) }
    builder.append(name: "isError") { $0.write(boolean: isError) }
    builder.append(name: "request") { $0.write(string: key.request) }
    builder.append(name: "session") { $0.write(string: key.session) }
    builder.append(name: "timestamp") { $0.write(double: Double(timestamp)) }
    return builder.finish(id: id, creationTime: creationTime)
  }
}
