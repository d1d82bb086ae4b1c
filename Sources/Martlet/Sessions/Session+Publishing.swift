import MartletWire

/// Telling a session its subscriptions' values, all of one snapshot.
extension Session {
  /// Tells what the client lacks, as of the head. Called when every live query that isn't running beside is current.
  func publish(_ engine: isolated Engine) {
    isToPublish = false
    guard !isClosed, case .current = publication else { return }
    // A client that doesn't read is told the newest values when it reads again, and nothing in between (promise 7).
    guard transport.isWritable else { return }
    candidates.removeAll(where: \.hasEnded)
    if candidates.count > 1 { candidates.sort { $0.number < $1.number } }
    var isMissingSome = false
    for subscription in candidates {
      guard case .running(let timestamp) = subscription.query.state else { continue }
      // One that began on an older snapshot can't be told with the others: there will be news when it is done.
      guard timestamp == engine.headTimestamp else { return }
      isMissingSome = true
    }
    if isMissingSome { awaitMissing(engine) } else { tellCandidates(engine) }
    for subscription in candidates { subscription.isCandidate = false }
    candidates.removeAll(keepingCapacity: candidates.count < 64)
  }

  /// Keeps the values that there are until those come that run beside.
  private func awaitMissing(_ engine: isolated Engine) {
    var values: [Told] = []
    var missing: Set<ObjectIdentifier> = []
    for subscription in candidates {
      if case .running = subscription.query.state {
        missing.insert(ObjectIdentifier(subscription))
      } else if let told = subscription.news {
        values.append(told)
      }
    }
    publication = .awaiting(timestamp: engine.headTimestamp, values: values, missing: missing)
  }

  private func tellCandidates(_ engine: isolated Engine) {
    guard candidates.contains(where: \.hasNews) || owesSynced else { return }
    let timestamp = engine.headTimestamp
    if owedSynced <= timestamp { owedSynced = 0 }
    tell(engine) { writer in
      for subscription in candidates {
        guard let told = subscription.news else { continue }
        write(told, to: &writer)
        engine.statistics.updates += 1
      }
      writer.writeSyncedLine(timestamp: timestamp)
    }
  }

  private var owesSynced: Bool { owedSynced != 0 && !subscriptions.isEmpty }

  /// The query of a subscription, which ran beside, has its value.
  func valueArrived(of subscription: Subscription, engine: isolated Engine) {
    guard case .awaiting(let timestamp, var values, var missing) = publication,
      missing.remove(ObjectIdentifier(subscription)) != nil
    else { return }
    if let told = subscription.news { values.append(told) }
    publication = .awaiting(timestamp: timestamp, values: values, missing: missing)
    tellAwaited(engine)
  }

  /// A subscription has left its query, or the session. If that runs beside, it is not waited for.
  func stopAwaiting(_ subscription: Subscription, engine: isolated Engine) {
    guard case .awaiting(let timestamp, let values, var missing) = publication,
      missing.remove(ObjectIdentifier(subscription)) != nil
    else { return }
    publication = .awaiting(timestamp: timestamp, values: values, missing: missing)
    tellAwaited(engine)
  }

  /// The disk refused the commits after the head: what was kept of a snapshot that showed them is not told.
  func forgetLost(_ engine: isolated Engine) {
    if owedSynced > engine.headTimestamp { owedSynced = 0 }
    guard case .awaiting(let timestamp, _, _) = publication, timestamp > engine.headTimestamp else { return }
    publication = .current
    for subscription in subscriptions.values { noteCandidate(subscription) }
    engine.noteNews(for: self)
  }

  /// Tells what was kept back, once nothing is missing.
  private func tellAwaited(_ engine: isolated Engine) {
    guard case .awaiting(let timestamp, let values, let missing) = publication, missing.isEmpty else { return }
    publication = .current
    tell(engine, values, at: timestamp)
    flush()
    engine.noteNews(for: self)
    engine.scheduleTurnEnd()
  }

  private func tell(_ engine: isolated Engine, _ news: [Told], at timestamp: UInt64) {
    let news = news.filter { !$0.subscription.hasEnded && $0.subscription.query === $0.query }
    guard !news.isEmpty || owesSynced else { return }
    if owedSynced <= timestamp { owedSynced = 0 }
    engine.statistics.updates += UInt64(news.count)
    tell(engine) { writer in
      for told in news { write(told, to: &writer) }
      writer.writeSyncedLine(timestamp: timestamp)
    }
  }

  private func write(_ told: Told, to writer: inout JSONWriter) {
    switch told.result {
    case .value(let json):
      if wantsPatches, let patch = told.subscription.patch(to: json, version: told.version) {
        patch.withUnsafeBytes { writer.writePatchLine(id: told.subscription.id, json: $0) }
        break
      }
      writer.beginUpdate(id: told.subscription.id)
      writer.write(raw: json)
      writer.endLine()
    case .failure(let error):
      writer.writeFailedLine(id: told.subscription.id, error)
    }
    told.subscription.noteSent(told.result, version: told.version)
  }
}
