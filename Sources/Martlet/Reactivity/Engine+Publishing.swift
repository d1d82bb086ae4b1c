/// Keeping subscriptions up to date: running the live queries that commits touched, and telling the sessions.
///
/// Every publication shows one snapshot, the head of the batch that was just closed. Each stale query runs once, whatever
/// the number of commits that touched it and of subscribers that share it.
extension Engine {
  func publish() {
    for query in live.takeStale() where query.state == .stale {
      if live.endIfUnused(query) { unwatch(query) } else { refresh(query) }
    }
    guard !sessionsToPublish.isEmpty else { return }
    var sessions: ContiguousArray<Session> = []
    swap(&sessions, &sessionsToPublish)
    for session in sessions { session.publish(self) }
    for session in sessions { session.flush() }
  }

  /// Runs a query again, and notes the sessions that are to be told.
  private func refresh(_ query: LiveQuery) {
    let (outcome, reads) = runLiveQuery(query)
    switch outcome {
    case .answered:
      query.state = .current
      watch(query, reads)
      adopt(.value(answer.bytes), for: query)
    case .failed(let error):
      query.state = .current
      watch(query, reads)
      adopt(.failure(error), for: query)
    case .needsOwnThread:
      query.state = .running(headTimestamp)
      runBeside(query)
      noteNews(of: query)
    }
  }

  private func runBeside(_ query: LiveQuery) {
    var request = besideRequest(query.function, arguments: query.key.arguments, identity: query.key.identity) { _, _ in }
    request.pageEnds = query.pageEnds
    let id = query.id
    runBeside(request, canWrite: false, tracksReads: true) { engine, run in
      engine.finishLiveQuery(id, run)
    }
  }

  private func finishLiveQuery(_ id: LiveQueryID, _ run: BesideRun) {
    let timestamp = run.transaction.snapshotTimestamp
    let reads = run.transaction.finishReads()
    let isTouched = beside.isTouched(reads, since: timestamp)
    beside.end(at: timestamp)
    guard let query = live[id], query.state == .running(timestamp) else { return }
    guard timestamp <= headTimestamp else {
      // The disk refused commits that this snapshot showed.
      live.markStale(query)
      return scheduleTurnEnd()
    }
    watch(query, reads)
    let result = run.result(in: self)
    noteRun(run, .subscription, result.failure)
    switch result {
    case .success(let json):
      query.keepPageEnds(of: run.transaction)
      adopt(.value(json), for: query)
    case .failure(let error): adopt(.failure(error), for: query)
    }
    query.state = .current
    for subscription in query.subscriptions { subscription.session.valueArrived(of: subscription, engine: self) }
    if isTouched { live.markStale(query) }
    noteNews(of: query)
    scheduleTurnEnd()
  }

  private func adopt(_ result: LiveResult, for query: LiveQuery) {
    guard query.result != result else { return }
    query.result = result
    query.version += 1
    noteNews(of: query)
  }

  private func noteNews(of query: LiveQuery) {
    for subscription in query.subscriptions { noteNews(of: subscription) }
  }

  private func noteNews(of subscription: Subscription) {
    subscription.session.noteCandidate(subscription)
    noteNews(for: subscription.session)
  }

  /// Has a session tell what it has to tell at the next publication.
  func noteNews(for session: Session) {
    guard !session.isToPublish, !session.isClosed else { return }
    session.isToPublish = true
    sessionsToPublish.append(session)
  }

  // MARK: Interest

  /// Tells the tables what the query has read now, where that differs from what it read before.
  private func watch(_ query: LiveQuery, _ reads: ReadSet) {
    guard reads != query.reads else { return }
    unwatch(query)
    query.reads = reads
    let id = query.id
    // A point of a table that doesn't exist can't change.
    query.rangeTokens = reads.byTable.map { part in
      catalog.table(number: part.table)?.assumeIsolated { $0.addInterest(id, part) } ?? []
    }
  }

  private func unwatch(_ query: LiveQuery) {
    let id = query.id
    for (part, tokens) in zip(query.reads.byTable, query.rangeTokens) {
      catalog.table(number: part.table)?.assumeIsolated { $0.removeInterest(id, part, tokens) }
    }
    query.reads = ReadSet()
    query.rangeTokens = []
  }

  // MARK: Subscribing

  func subscribe(_ session: Session, id: String, _ function: FunctionDefinition, arguments: [UInt8]) -> Subscription {
    let key = LiveQueryKey(function: function.name, arguments: arguments, identity: session.identity)
    let subscription = Subscription(
      id: id, number: session.nextSubscriptionNumber(), session: session, query: live.query(key, function))
    live.attach(subscription)
    if case .system = function.body { scheduleSystemRefresh() }
    noteNews(of: subscription)
    scheduleTurnEnd()
    return subscription
  }

  func unsubscribe(_ subscription: Subscription) {
    for query in live.detach(subscription, now: wallMilliseconds) { unwatch(query) }
    scheduleWarmEnd()
  }

  /// Queries that nobody came back for end after their time.
  private func scheduleWarmEnd() {
    guard !warmEndIsScheduled, live.nextWarmEnd != nil else { return }
    warmEndIsScheduled = true
    host.schedule(afterMilliseconds: Int(LiveQueries.warmMilliseconds)) {
      self.assumeIsolated { engine in
        engine.warmEndIsScheduled = false
        for query in engine.live.endWarm(upTo: engine.environment.clock.wallMilliseconds()) { engine.unwatch(query) }
        engine.scheduleWarmEnd()
      }
    }
  }

  /// Moves a subscription to the live query of its session's new identity.
  func changeIdentity(of subscription: Subscription) {
    let old = subscription.query
    unsubscribe(subscription)
    let key = LiveQueryKey(
      function: old.key.function, arguments: old.key.arguments, identity: subscription.session.identity)
    subscription.follow(live.query(key, old.function))
    subscription.query.keepPageEnds(of: old)
    live.attach(subscription)
    subscription.session.stopAwaiting(subscription, engine: self)
    noteNews(of: subscription)
    scheduleTurnEnd()
  }

  // MARK: The server's own state

  /// How often a subscribed system query that reads counters is run again: they change with everything that happens.
  static let systemRefreshMilliseconds = 250

  private func scheduleSystemRefresh() {
    guard !systemRefreshIsScheduled else { return }
    systemRefreshIsScheduled = true
    host.schedule(afterMilliseconds: Self.systemRefreshMilliseconds) {
      self.assumeIsolated { $0.refreshSystemQueries() }
    }
  }

  private func refreshSystemQueries() {
    systemRefreshIsScheduled = false
    var isWatched = false
    for query in live.all {
      guard case .system = query.function.body else { continue }
      isWatched = true
      live.markStale(query.id)
    }
    guard isWatched, lifecycle != .draining else { return }
    scheduleSystemRefresh()
    scheduleTurnEnd()
  }
}
