import MartletWire

/// Sessions, from their first byte to their end.
extension Engine {
  /// - Returns: nil where there are as many connections as there may be: this one has been told so, and is being closed.
  package func open(_ transport: any SessionTransport) -> SessionID? {
    do throws(WireError) { try check(.connections, sessions.count, configuration.connections) } catch {
      refuse(transport, error)
      return nil
    }
    lastSessionID += 1
    statistics.connectionsOpened += 1
    let id = SessionID(rawValue: lastSessionID)
    let name = String(environment.entropy.next(), radix: 36) + String(environment.entropy.next(), radix: 36)
    sessions[id] = Session(
      id: id, transport: transport, name: name, maximumLineBytes: configuration.maximumLineBytes)
    return id
  }

  private func refuse(_ transport: any SessionTransport, _ error: WireError) {
    var line = JSONWriter()
    line.writeClosingLine(error)
    line.withUnsafeBytes { transport.send($0) }
    transport.close()
    scheduleTurnEnd()
  }

  /// Handles what arrived from several sessions.
  package func receive(_ batch: borrowing InputBatch) {
    batch.forEachGroup(ofBytes: Self.bytesToLookAhead) {
      lookAhead(in: $0)
    } piece: {
      handle($1, from: $0)
    }
  }

  /// Handles what arrived from one session.
  package func receive(_ bytes: UnsafeRawBufferPointer, from id: SessionID) {
    lookAhead(in: bytes)
    handle(bytes, from: id)
  }

  /// Handles every whole line, in order. Answers that are ready are sent once, at the end.
  private func handle(_ bytes: UnsafeRawBufferPointer, from id: SessionID) {
    guard let session = sessions[id], session.closing == nil else { return }
    // For each connection anew: those before it may have taken their time.
    wallMilliseconds = environment.clock.wallMilliseconds()
    endIdentityIfDue(session)
    // The splitter is taken out while it runs, since the lines that it finds are handled with the session.
    var splitter = LineSplitter(maxLineBytes: configuration.maximumLineBytes)
    swap(&splitter, &session.splitter)
    let outcome = splitter.feed(bytes) { line in
      if session.unhandled.isEmpty, !hasTooMuchOutstanding(session) { return handle(line, session) }
      session.unhandled.append(contentsOf: line)
      session.unhandled.append(UInt8(ascii: "\n"))
    }
    swap(&splitter, &session.splitter)
    if outcome == .lineTooLong, session.closing == nil {
      let error = WireError(
        .lineTooLong, "the line is longer than \(configuration.maximumLineBytes) bytes; send less in one request")
      session.tell(self) { $0.writeErrorLine(id: "-", error) }
      finish(session, error)
    }
    session.flush()
    throttle(session)
    closeIfDone(session)
    sealIfFull()
  }

  /// The client closed its side, or the connection broke.
  /// - Parameter canStillSend: whether the client may still read answers.
  package func disconnected(_ id: SessionID, canStillSend: Bool) {
    guard let session = sessions[id] else { return }
    if canStillSend, session.closing == nil {
      session.hasInputEnded = true
      guard session.unhandled.isEmpty else { return }
      finish(session, nil)
      closeIfDone(session)
    } else if !canStillSend {
      remove(session)
    }
  }

  /// The client reads again, after it had not.
  package func becameWritable(_ id: SessionID) {
    guard let session = sessions[id] else { return }
    throttle(session)
    noteNews(for: session)
    scheduleTurnEnd()
  }

  /// Ends a session whose client has read nothing for too long.
  package func closeSlowConsumer(_ id: SessionID) {
    guard let session = sessions[id] else { return }
    statistics.slowConsumers += 1
    scheduleTurnEnd()
    let limit = configuration.stallMilliseconds
    let time = limit.isMultiple(of: 1_000) ? "\(limit / 1_000) s" : "\(limit) ms"
    let error = WireError(.slowConsumer, "the connection took no bytes for \(time) (--stall-limit); read faster or subscribe to less")
    session.outbound.append(dependingOn: 0) { $0.writeClosingLine(error) }
    session.flush()
    session.transport.close()
    remove(session)
  }

  /// No more is read from the session; when all that is in flight is answered, it ends with `closing`.
  /// - Parameter reason: nil where the client closed its side itself, so that a last line would tell it nothing.
  func finish(_ session: Session, _ reason: WireError?) {
    session.closing = .some(reason)
    session.unhandled = []
    endSubscriptions(of: session)
  }

  func closeIfDone(_ session: Session) {
    guard let reason = session.closing, !session.isClosed, session.pending.isEmpty else { return }
    guard session.outbound.heldCount == 0 else {
      // The rest is waiting for the disk; see there again.
      let id = session.id
      wait(.work { _ in self.assumeIsolated { $0.closeIfDone(id) } })
      return
    }
    if let reason { session.outbound.append(dependingOn: 0) { $0.writeClosingLine(reason) } }
    session.flush()
    session.transport.close()
    remove(session)
  }

  private func closeIfDone(_ id: SessionID) {
    if let session = sessions[id] { closeIfDone(session) }
  }

  private func remove(_ session: Session) {
    endSubscriptions(of: session)
    for request in session.pending.values {
      if case .action(let action) = request.kind { actions.cancel(action) }
    }
    transfers.endAll(of: session.id)
    session.markClosed()
    sessions[session.id] = nil
  }

  private func endSubscriptions(of session: Session) {
    for subscription in session.subscriptions.values {
      subscription.hasEnded = true
      unsubscribe(subscription)
    }
    session.subscriptions.removeAll()
    session.candidates.removeAll()
  }

  /// Stops reading from a session that has too much outstanding, and starts again when it has less: what a client sends
  /// meanwhile waits in its socket, not in the server's memory (G9).
  func throttle(_ session: Session) {
    if !session.unhandled.isEmpty { handleUnhandled(session) }
    let isFull = hasTooMuchOutstanding(session) || !session.unhandled.isEmpty || !session.transport.isWritable
    guard isFull == session.isReading else { return }
    session.isReading = !isFull
    session.transport.setReading(!isFull)
  }

  /// Queries and mutations are counted, which end by themselves: their time is limited. Actions are not, as a connection would not be read from until
  /// one ends, and one may wait for a line of this very connection; they have a bound of their own (decision 15).
  private func hasTooMuchOutstanding(_ session: Session) -> Bool {
    session.outbound.byteCount > configuration.sessionHeldBytes || session.pending.count - session.actionCount > configuration.sessionRequests
  }

  /// Goes on with lines that waited, as far as there is room.
  private func handleUnhandled(_ session: Session) {
    wallMilliseconds = environment.clock.wallMilliseconds()
    endIdentityIfDue(session)
    var lines: [UInt8] = []
    swap(&lines, &session.unhandled)
    var start = 0
    lines.withUnsafeBytes { lines in
      while start < lines.count, session.closing == nil, !hasTooMuchOutstanding(session), session.transport.isWritable {
        let end = lines[start...].firstIndex(of: UInt8(ascii: "\n"))!
        handle(UnsafeRawBufferPointer(rebasing: lines[start..<end]), session)
        start = end + 1
        // What can leave makes room.
        if hasTooMuchOutstanding(session) { session.flush() }
      }
    }
    session.flush()
    guard session.closing == nil else { return closeIfDone(session) }
    session.unhandled = Array(lines[start...])
    if session.unhandled.isEmpty, session.hasInputEnded {
      finish(session, nil)
      closeIfDone(session)
    }
  }
}
