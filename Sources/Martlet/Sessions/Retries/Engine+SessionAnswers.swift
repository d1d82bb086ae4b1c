import MartletWire

/// Mutations that may be sent again: those of connections whose `hello` named a session.
///
/// Such a mutation runs within one of the server's own, made for it (`answering`): it looks for an answer first, and has the commit keep the one that
/// it gives. Should the same mutation run twice at a time, for an old connection and a new one, both have read that there is no answer yet: the commit
/// of one makes the other run again (G4), and then there is one.
///
/// A mutation that throws has changed nothing; its error is kept by a commit of its own.
extension Engine {
  /// Longer answers couldn't be kept.
  static let mostSessionAnswerBytes = 2 << 20
  private static let shortSessionAnswerBytes = 4 << 10

  /// - Returns: a mutation whose answer is followed by eight bytes: the timestamp of the commit that it was first given by, 0 if that is this run's.
  static func answering(_ key: SessionRequest, _ function: FunctionDefinition, arguments: [UInt8]) -> FunctionDefinition {
    FunctionDefinition(
      name: function.name, visibility: function.visibility, arguments: [], limits: { $0 = function.limits(on: $0) },
      body: .mutation { context, _, answer in
        let transaction = context.transaction
        if let kept = try transaction.sessionAnswer(of: key) {
          answer.write(raw: try kept.json(of: function.name))
          return answer.write(timestamp: UInt64(kept.timestamp))
        }
        try arguments.withUnsafeBytes { try transaction.registry.runNested(function, $0, in: transaction, into: &answer) }
        guard answer.count <= mostSessionAnswerBytes else {
          throw WireError(
            .limitExceeded,
            "the answer of \(function.name) has \(answer.count) bytes, and one under a session may have \(mostSessionAnswerBytes): answer less, or leave \"session\" out of hello")
        }
        // A short one is kept all the same, or nobody could delete under a session.
        if answer.count > shortSessionAnswerBytes { try transaction.requireRoom(forArguments: answer.count) }
        transaction.sessionAnswer = SessionAnswer(key: key, function: function.name, json: answer.bytes, isError: false)
        answer.write(timestamp: 0)
      }
    ).numbered(function.number)
  }

  /// Enters the answer into the table, as a part of the commit that is about to be made.
  func keep(_ answer: SessionAnswer, in transaction: Transaction) {
    guard let table = catalog.table(number: SystemTables.sessionAnswersNumber) else { preconditionFailure("every server has its own tables") }
    let id = environment.entropy.nextID(table: table.layout.number)
    let creationTime = table.nextCreationTime(now: transaction.now)
    let document = answer.document(id: id, creationTime: creationTime, timestamp: headTimestamp + 1, &scratch.builder)
    transaction.view(of: table).write(document, under: id, replacing: nil)
  }

  /// What the client is told of a mutation made by `answering`. An error is kept first.
  func settle(
    _ result: Result<(timestamp: UInt64, json: [UInt8]), WireError>, _ key: SessionRequest, _ function: String
  ) -> Result<(timestamp: UInt64, json: [UInt8]), WireError> {
    if case .failure(let error) = result { keepFailure(error, of: key, function) }
    return result.map { Self.takeTimestamp(off: $0.json, else: $0.timestamp) }
  }

  func settle(
    _ outcome: Outcome, _ key: SessionRequest, _ function: String
  ) -> Result<(timestamp: UInt64, json: [UInt8]), WireError> {
    switch outcome {
    case .answered(let timestamp): settle(.success((timestamp, answer.bytes)), key, function)
    case .failed(let error): settle(.failure(error), key, function)
    case .needsOwnThread: preconditionFailure("a request that runs beside is answered when it is done")
    }
  }

  /// Keeps an error that the client is about to be told, unless it only says that the mutation couldn't run now.
  private func keepFailure(_ error: WireError, of key: SessionRequest, _ function: String) {
    switch error.code {
    case .overloaded, .storageFailed, .shuttingDown, .cancelled, .duplicateID: return
    default: break
    }
    // As where it is overloaded: later there may be room.
    if error.isOutOfMemory { return }
    var writer = JSONWriter()
    error.write(to: &writer)
    let json = writer.bytes
    let keeping = FunctionDefinition(
      name: "_system:keepFailure", visibility: .internal, arguments: [], limits: Limits.ofServer,
      body: .mutation { context, _, answer in
        let transaction = context.transaction
        if try transaction.sessionAnswer(of: key) == nil {
          transaction.sessionAnswer = SessionAnswer(key: key, function: function, json: json, isError: true)
        }
        answer.writeNull()
      })
    // The caller is still to be told what the mutation logged.
    let logLines = lastLogLines
    start(keeping, [], .anonymous) { _, _ in }
    lastLogLines = logLines
  }

  /// The answer of a mutation that can't run now, since nothing commits, but may have run before.
  func knownAnswer(of key: SessionRequest, _ function: String) -> Result<(timestamp: UInt64, json: [UInt8]), WireError>? {
    let looking = FunctionDefinition(
      name: function, visibility: .internal, arguments: [], limits: Limits.ofServer,
      body: .query { context, _, answer in
        guard let kept = try context.transaction.sessionAnswer(of: key) else { return }
        answer.write(raw: try kept.json(of: function))
        answer.write(timestamp: UInt64(kept.timestamp))
      })
    switch runQuery(looking, arguments: UnsafeRawBufferPointer(start: nil, count: 0), identity: .anonymous) {
    case .failed(let error): return .failure(error)
    case .answered where answer.count == 0: return nil
    case .answered(let timestamp): return .success(Self.takeTimestamp(off: answer.bytes, else: timestamp))
    case .needsOwnThread: preconditionFailure("one document is found on the engine's thread")
    }
  }

  /// Takes apart what a function made by `answering` answers.
  private static func takeTimestamp(off answer: [UInt8], else timestamp: UInt64) -> (timestamp: UInt64, json: [UInt8]) {
    let kept = answer.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return (kept == 0 ? timestamp : kept, Array(answer.dropLast(8)))
  }

  /// Counts the mutations of a session's connection, and now and then has the oldest answers removed.
  func noteSessionMutation(of session: Session, _ key: SessionRequest) {
    session.mutationsSinceRemoval += 1
    guard session.mutationsSinceRemoval >= SessionAnswers.mutationsBetweenRemovals else { return }
    session.mutationsSinceRemoval = 0
    var writer = JSONWriter()
    writer.write(object: ["session": .string(key.session)])
    start(SessionAnswers.removeOldest, writer.bytes, .anonymous) { _, _ in }
    // The first answer that there is may have nobody yet who removes it when it is old.
    jobQueue.isStale = true
  }
}

extension Transaction {
  fileprivate func sessionAnswer(of key: SessionRequest) throws -> Document<SessionAnswers>? {
    try DatabaseReader(transaction: self).query(SessionAnswers.self)
      .withIndex(\.byRequest) { $0.eq(\.session, key.session).eq(\.request, key.request) }.first()
  }
}

extension Document<SessionAnswers> {
  /// The answer's JSON. Throws the error that it was, and where the request was another.
  fileprivate func json(of name: String) throws -> [UInt8] {
    guard self.function == name else {
      throw WireError(
        .duplicateID, "this session has used the id \"\(self.request)\" for \(self.function); choose a new one for each mutation of a session")
    }
    let json = Array(self.answer.utf8)
    if self.isError { throw try json.withUnsafeBytes { try WireError(json: $0) } }
    return json
  }
}

extension JSONWriter {
  fileprivate mutating func write(timestamp: UInt64) {
    for shift in stride(from: 56, through: 0, by: -8) { write(byte: UInt8(truncatingIfNeeded: timestamp >> UInt64(shift))) }
  }
}
