import MartletWire

/// The verbs of the line protocol.
extension Engine {
  func handle(_ line: UnsafeRawBufferPointer, _ session: Session) {
    guard session.closing == nil else { return }
    switch ClientLine.parse(line) {
    case .ignored: return
    case .problem(let problem):
      session.tell(self) { $0.writeErrorLine(id: line.bytes(in: problem.id ?? 0..<0), problem.error) }
    case .line(let parsed):
      handle(parsed, line, session)
    }
  }

  private func handle(_ parsed: ClientLine, _ line: UnsafeRawBufferPointer, _ session: Session) {
    let id = line.bytes(in: parsed.id)
    let rest = line.bytes(in: parsed.rest)
    switch parsed.verb {
    case .mutation, .query, .action, .subscribe:
      do throws(WireError) {
        if !session.pending.isEmpty || !session.subscriptions.isEmpty { try checkIsFree(id, session) }
        if lifecycle == .draining { throw WireError(.shuttingDown, "the server is shutting down; connect again later") }
        let function = try resolve(line.bytes(in: parsed.function), kind: parsed.verb.kind, identity: session.identity)
        try call(parsed.verb, id, function, rest, session)
      } catch {
        session.tell(self) { $0.writeErrorLine(id: id, error) }
      }
    case .unsubscribe: unsubscribe(id, session)
    case .cancel: cancel(id, session)
    case .auth: authenticate(id, rest, session)
    case .hello: greet(rest, session)
    case .ping: session.tell(self) { $0.writePongLine(text: rest) }
    case .help: session.tell(self) { $0.write(raw: Self.help) }
    case .bye: finish(session, WireError(ErrorCode(rawValue: "bye"), "goodbye"))
    }
  }

  func checkIsFree(_ id: UnsafeRawBufferPointer, _ session: Session) throws(WireError) {
    let id = String(decoding: id, as: UTF8.self)
    guard session.isActive(id) else { return }
    throw WireError(.duplicateID, "\"\(id)\" is the id of a request or subscription that has not ended; choose another")
  }

  private func call(
    _ verb: ClientVerb, _ id: UnsafeRawBufferPointer, _ function: FunctionDefinition, _ json: UnsafeRawBufferPointer,
    _ session: Session
  ) throws(WireError) {
    switch verb {
    case .mutation: mutateOnce(id, function, json, session)
    case .query: query(id, function, json, session)
    case .subscribe: try subscribe(id, function, json, session)
    default: act(id, function, json, session)
    }
  }

  // MARK: Queries and mutations

  private func query(
    _ id: UnsafeRawBufferPointer, _ function: FunctionDefinition, _ json: UnsafeRawBufferPointer, _ session: Session
  ) {
    let outcome = runQuery(function, arguments: json, identity: session.identity)
    guard case .needsOwnThread = outcome else { return reply(id, outcome, session) }
    let name = String(decoding: id, as: UTF8.self)
    let sessionID = session.id
    let number = session.nextRequestNumber()
    session.begin(name, .init(number: number, kind: .query))
    runQueryBeside(
      besideRequest(function, arguments: Array(json), identity: session.identity) { engine, result in
        engine.complete(name, number, of: sessionID, with: result)
      })
  }

  /// Runs a mutation, unless it is one that has run before under the session's name.
  private func mutateOnce(
    _ id: UnsafeRawBufferPointer, _ function: FunctionDefinition, _ json: UnsafeRawBufferPointer, _ session: Session
  ) {
    guard let key = session.key(of: id) else { return mutate(id, function, json, session, as: session.identity) }
    if commitRefusal != nil, let known = knownAnswer(of: key, function.name) { return answerMutation(id, known, session) }
    mutate(id, Self.answering(key, function, arguments: Array(json)), UnsafeRawBufferPointer(start: nil, count: 0), session, as: session.identity)
    noteSessionMutation(of: session, key)
  }

  private func mutate(
    _ id: UnsafeRawBufferPointer, _ function: FunctionDefinition, _ json: UnsafeRawBufferPointer, _ session: Session,
    as identity: Identity
  ) {
    if let refusal = commitRefusal { return session.tell(self) { $0.writeErrorLine(id: id, refusal) } }
    if session.runningMutation != nil {
      let name = String(decoding: id, as: UTF8.self)
      session.begin(name, .init(number: session.nextRequestNumber(), kind: .queuedMutation))
      session.queuedMutations.append(.init(id: name, function: function, arguments: Array(json), identity: identity))
      return
    }
    if !beside.isExclusive {
      let outcome = runMutation(function, arguments: json, identity: identity)
      guard case .needsOwnThread = outcome else {
        if let key = session.key(of: id) { return answerMutation(id, settle(outcome, key, function.name), session) }
        if case .answered(let timestamp) = outcome { oweSynced(timestamp, session) }
        return reply(id, outcome, session)
      }
    }
    mutateBeside(String(decoding: id, as: UTF8.self), function, Array(json), session, as: identity)
  }

  private func mutateBeside(
    _ id: String, _ function: FunctionDefinition, _ arguments: [UInt8], _ session: Session, as identity: Identity
  ) {
    let number = session.nextRequestNumber()
    session.begin(id, .init(number: number, kind: .mutation))
    session.runningMutation = id
    let sessionID = session.id
    let key = session.retryName.map { SessionRequest(session: $0, request: id) }
    runMutationBeside(
      besideRequest(function, arguments: arguments, identity: identity) { engine, result in
        let result = key.map { engine.settle(result, $0, function.name) } ?? result
        engine.complete(id, number, of: sessionID, with: result)
      })
  }

  private func reply(_ id: UnsafeRawBufferPointer, _ outcome: Outcome, _ session: Session) {
    if session.wantsLogs { tellLogLines(id, session) }
    if runLog.lacksRequest { runLog.noteRequest(session.name, String(decoding: id, as: UTF8.self)) }
    switch outcome {
    case .answered(let timestamp):
      session.tell(self) { writer in
        answer.withUnsafeBytes { writer.writeOKLine(id: id, timestamp: timestamp, json: $0) }
      }
    case .failed(let error):
      session.tell(self) { $0.writeErrorLine(id: id, error) }
    case .needsOwnThread:
      preconditionFailure("a request that runs beside is answered when it is done")
    }
  }

  private func answerMutation(
    _ id: UnsafeRawBufferPointer, _ result: Result<(timestamp: UInt64, json: [UInt8]), WireError>, _ session: Session
  ) {
    if case .success(let answer) = result { oweSynced(answer.timestamp, session) }
    tell(id, result, session)
  }

  private func tell(
    _ id: UnsafeRawBufferPointer, _ result: Result<(timestamp: UInt64, json: [UInt8]), WireError>, _ session: Session
  ) {
    if session.wantsLogs { tellLogLines(id, session) }
    if runLog.lacksRequest { runLog.noteRequest(session.name, String(decoding: id, as: UTF8.self)) }
    switch result {
    case .success(let answer):
      answer.json.withUnsafeBytes { json in
        session.tell(self) { $0.writeOKLine(id: id, timestamp: answer.timestamp, json: json) }
      }
    case .failure(let error):
      session.tell(self) { $0.writeErrorLine(id: id, error) }
    }
  }

  /// A mutation is answered: a `synced` that shows it must follow (promise 4).
  private func oweSynced(_ timestamp: UInt64, _ session: Session) {
    guard !session.subscriptions.isEmpty else { return }
    session.owedSynced = timestamp
    noteNews(for: session)
    scheduleTurnEnd()
  }

  /// Answers a request that took its time, and runs the session's next mutation if that one was a mutation.
  private func complete(
    _ id: String, _ number: UInt64, of sessionID: SessionID,
    with result: Result<(timestamp: UInt64, json: [UInt8]), WireError>
  ) {
    defer { runLog.forgetRequest() }
    guard let session = sessions[sessionID] else { return }
    var id = id
    runLog.noteRequest(session.name, id)
    var wasMutation = false
    // A request that was cancelled has its answer already.
    if let request = session.pending[id], request.number == number {
      session.end(id)
      if case .mutation = request.kind { wasMutation = true }
      id.withUTF8 { id in
        let id = UnsafeRawBufferPointer(id)
        if wasMutation { answerMutation(id, result, session) } else { tell(id, result, session) }
      }
    }
    if wasMutation {
      session.runningMutation = nil
      runQueuedMutations(session)
    }
    session.flush()
    throttle(session)
    closeIfDone(session)
  }

  private func act(
    _ id: UnsafeRawBufferPointer, _ function: FunctionDefinition, _ json: UnsafeRawBufferPointer, _ session: Session
  ) {
    let name = String(decoding: id, as: UTF8.self)
    let sessionID = session.id
    let number = session.nextRequestNumber()
    do throws(WireError) {
      try check(.requests, session.actionCount, configuration.sessionRequests)
      let action = try startAction(function, arguments: Array(json), identity: session.identity, session: session.id) { engine, result in
        engine.complete(name, number, of: sessionID, with: result)
      }
      session.begin(name, .init(number: number, kind: .action(action)))
    } catch {
      session.tell(self) { $0.writeErrorLine(id: id, error) }
    }
  }

  private func runQueuedMutations(_ session: Session) {
    var next = 0
    let queue = session.queuedMutations
    session.queuedMutations.removeAll()
    while next < queue.count, session.runningMutation == nil {
      let queued = queue[next]
      next += 1
      guard session.end(queued.id) != nil else { continue }
      var id = queued.id
      id.withUTF8 { id in
        queued.arguments.withUnsafeBytes {
          mutate(UnsafeRawBufferPointer(id), queued.function, $0, session, as: queued.identity)
        }
      }
    }
    session.queuedMutations = ContiguousArray(queue[next...]) + session.queuedMutations
  }

  private func tellLogLines(_ id: UnsafeRawBufferPointer, _ session: Session) {
    for line in lastLogLines {
      var json = JSONWriter()
      line.write(to: &json, number: nil)
      json.withUnsafeBytes { json in session.tell(self) { $0.writeLogLine(id: id, json: json) } }
    }
  }

  // MARK: Subscriptions

  private func subscribe(
    _ id: UnsafeRawBufferPointer, _ function: FunctionDefinition, _ json: UnsafeRawBufferPointer, _ session: Session
  ) throws(WireError) {
    try check(.subscriptions, session.subscriptions.count, configuration.sessionSubscriptions)
    let arguments = try canonicalArguments(json)
    let name = String(decoding: id, as: UTF8.self)
    let subscription = subscribe(session, id: name, function, arguments: arguments)
    session.subscriptions[name] = subscription
  }

  /// Equal arguments must be equal bytes, so that equal queries are shared.
  private func canonicalArguments(_ json: UnsafeRawBufferPointer) throws(WireError) -> [UInt8] {
    guard !json.isEmpty else { return Array("{}".utf8) }
    do {
      var reader = JSONReader(json)
      var writer = JSONWriter()
      try writer.write(canonical: &reader)
      try reader.finish()
      return writer.bytes
    } catch {
      throw WireError(.badRequest, "the arguments are not valid JSON: \(error)")
    }
  }

  private func unsubscribe(_ id: UnsafeRawBufferPointer, _ session: Session) {
    let name = String(decoding: id, as: UTF8.self)
    guard let subscription = session.subscriptions.removeValue(forKey: name) else {
      let error = WireError(.unknownID, "there is no subscription \"\(name)\" on this connection")
      return session.tell(self) { $0.writeErrorLine(id: id, error) }
    }
    subscription.hasEnded = true
    unsubscribe(subscription)
    tellNull(id, session)
    session.stopAwaiting(subscription, engine: self)
  }

  func tellNull(_ id: UnsafeRawBufferPointer, _ session: Session) {
    let timestamp = headTimestamp
    session.tell(self) {
      $0.beginOK(id: id, timestamp: timestamp)
      $0.writeNull()
      $0.endLine()
    }
  }

  // MARK: The connection

  private func cancel(_ id: UnsafeRawBufferPointer, _ session: Session) {
    let name = String(decoding: id, as: UTF8.self)
    guard let request = session.pending[name] else {
      let error = WireError(.unknownID, "there is no unanswered request \"\(name)\" on this connection")
      return session.tell(self) { $0.writeErrorLine(id: id, error) }
    }
    // A mutation that runs may commit any moment: it can't be said that it was cancelled, so its own answer comes.
    if case .mutation = request.kind { return }
    session.end(name)
    switch request.kind {
    case .action(let action): actions.cancel(action)
    case .queuedMutation: session.queuedMutations.removeAll { $0.id == name }
    case .query, .mutation: break
    }
    session.tell(self) { $0.writeErrorLine(id: id, WireError(.cancelled, "cancelled by the client")) }
  }

  private func greet(_ json: UnsafeRawBufferPointer, _ session: Session) {
    do {
      let hello = try Hello(json: json)
      if let version = hello.protocolVersion, version != WireProtocol.version {
        throw WireError(.badRequest, "this server speaks protocol \(WireProtocol.version), not \(version)")
      }
      guard !session.hasGreeted else { throw WireError(.badRequest, "hello comes once; this connection has greeted already") }
      if let name = hello.session, !(1...Session.mostNameBytes).contains(name.utf8.count) {
        throw WireError(.badRequest, "hello: a session's name has 1 to \(Session.mostNameBytes) bytes")
      }
      if let token = hello.token { adopt(try verify(token), session) }
      session.hasGreeted = true
      session.wantsLogs = hello.logs
      session.wantsPatches = hello.patches
      if let name = hello.session {
        session.name = name
        session.retryName = name
      }
      let welcome = Welcome(
        server: "martlet/\(configuration.version)", session: session.name, maxLineBytes: configuration.maximumLineBytes,
        patches: hello.patches)
      session.tell(self) { $0.writeWelcomeLine(welcome) }
    } catch let error as WireError {
      session.tell(self) { $0.writeErrorLine(id: "-", error) }
    } catch {
      session.tell(self) { $0.writeErrorLine(id: "-", WireError(.badRequest, "hello: \(error)")) }
    }
  }

  static let help: StaticString = """
    # Martlet line protocol: one message a line. <id> is any name you choose, [args] a JSON object.
    #   query <id> <module:name> [args]        run a query once
    #   mutation <id> <module:name> [args]     run a mutation
    #   action <id> <module:name> [args]       run an action
    #   subscribe <id> <module:name> [args]    keep a query live; updates follow
    #   unsubscribe <id>     cancel <id>     auth <id> [token]     ping [text]     bye
    # Try: query 1 _system:functions

    """
}

extension ClientVerb {
  fileprivate var kind: FunctionKind {
    switch self {
    case .mutation: .mutation
    case .action: .action
    default: .query
    }
  }
}
