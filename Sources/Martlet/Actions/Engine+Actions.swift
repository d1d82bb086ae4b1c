import MartletWire

/// Running actions: async handlers, each in a task of its own, a bounded number at a time in each pool.
extension Engine {
  /// Starts an action, or has it wait for a place. `completion` is called once, unless the action is cancelled.
  func startAction(
    _ function: FunctionDefinition, arguments: [UInt8], identity: Identity, origin: RunOrigin? = nil, session: SessionID? = nil,
    completion: @escaping Completion
  ) throws(WireError) -> ActionID {
    guard case .action(let handler) = function.body else { preconditionFailure("\(function.name) is an action") }
    guard stopping.mayBegin else { throw StoppingActions.refusal }
    let pool = function.pool
    let id = actions.nextID(in: pool)
    statistics.actions += 1
    let start: @Sendable (isolated Engine) -> Void = { engine in
      engine.run(handler, id, function, arguments, identity, origin, session, completion)
    }
    let (places, waitingPlaces) = (actions[pool].places, actions[pool].waitingPlaces)
    if actions[pool].runningCount < places {
      start(self)
    } else {
      guard actions[pool].waitingCount < waitingPlaces else {
        let name = pool == ActionPools.standard ? "" : "of the pool \"\(pool)\" "
        throw WireError(.overloaded, "\(places) actions \(name)run and \(waitingPlaces) wait; try again later, or raise the bounds")
      }
      actions[pool].wait(id, start)
    }
    return id
  }

  private func run(
    _ handler: @escaping @Sendable (ActionContext, [UInt8]) async throws -> [UInt8],
    _ id: ActionID, _ function: FunctionDefinition, _ arguments: [UInt8], _ identity: Identity, _ origin: RunOrigin?,
    _ session: SessionID?, _ completion: @escaping Completion
  ) {
    // One that waited for a place until all were cancelled.
    guard stopping.mayBegin else { return completion(self, .failure(StoppingActions.refusal)) }
    let run = ActionRun(function: function.name, session: session)
    let start = environment.clock.monotonicNanoseconds()
    let task = Task(executorPreference: host.actionExecutor) {
      let result: Result<[UInt8], any Error>
      do {
        result = .success(try await handler(ActionContext(engine: self, identity: identity, run: run), arguments))
      } catch {
        result = .failure(error)
      }
      await self.finishAction(id, function, run, origin, since: start, result, completion)
    }
    actions[id.pool].noteRunning(id, function.name, task)
    let limit = function.limits(on: limits.limits).actionMilliseconds
    host.schedule(afterMilliseconds: limit) {
      self.assumeIsolated { engine in
        guard engine.actions.noteEnd(id), engine.stopping.mayCall else { return }
        task.cancel()
        engine.keep(run.takeLines())
        let error = WireError(
          .timeout, "\(function.name) ran for longer than \(limit) ms; raise the limit actionMilliseconds",
          data: Limits.errorData(.actionMilliseconds, limit))
        engine.noteRun(of: function, origin, since: start, error, thrown: nil)
        completion(engine, .failure(error))
        engine.startWaitingAction(in: id.pool)
      }
    }
  }

  private func finishAction(
    _ id: ActionID, _ function: FunctionDefinition, _ run: ActionRun, _ origin: RunOrigin?, since start: UInt64,
    _ result: Result<[UInt8], any Error>, _ completion: Completion
  ) {
    // The end of one that was left comes too late to be noted: the next start finds its job.
    guard actions.noteEnd(id), stopping.mayCall else { return }
    keep(run.takeLines())
    switch result {
    case .success(let json):
      noteRun(of: function, origin, since: start, nil, thrown: nil)
      completion(self, .success((headTimestamp, json)))
    case .failure(let error):
      let described = describe(error, in: function.name)
      noteRun(of: function, origin, since: start, described, thrown: error)
      failedActionError = error
      let isStopped = !stopping.mayBegin && error is CancellationError
      completion(self, .failure(isStopped ? StoppingActions.cancellation : described))
      failedActionError = nil
    }
    startWaitingAction(in: id.pool)
  }

  private func startWaitingAction(in pool: String) {
    // A place is free, for a job as well.
    jobQueue.isStale = true
    scheduleTurnEnd()
    if let next = actions[pool].takeWaiting() { next.start(self) }
    tellIfActionsEnded()
  }

  /// Runs a function for an action, or for a client in this process, and gives its answer when all that it shows is durable.
  /// - Parameter caller: the action.
  package func call(
    _ name: String, kind: FunctionKind, arguments: [UInt8], identity: Identity, caller: String? = nil
  ) async throws -> [UInt8] {
    guard stopping.mayCall else { throw StoppingActions.isOver }
    guard let function = registry.find(name) else { throw registry.unknown(name) }
    guard function.kind == kind else {
      throw WireError(.wrongKind, "\(name) is \(function.kind.withArticle)")
    }
    return try await withCheckedThrowingContinuation { continuation in
      let completion: Completion = { engine, result in
        engine.whenDurable { failure in
          if let failure { continuation.resume(throwing: failure) } else { continuation.resume(with: result.map(\.json)) }
        }
      }
      start(function, arguments, identity, origin: caller.map { .function($0) } ?? .server, completion)
    }
  }

  /// Runs any function, here or beside or as an action, and tells `completion` how it ended, which need not be durable yet.
  func start(
    _ function: FunctionDefinition, _ arguments: [UInt8], _ identity: Identity, origin: RunOrigin = .server, _ completion: @escaping Completion
  ) {
    wallMilliseconds = environment.clock.wallMilliseconds()
    if function.kind == .action {
      do throws(WireError) {
        _ = try startAction(function, arguments: arguments, identity: identity, origin: origin, completion: completion)
      } catch {
        completion(self, .failure(error))
      }
      return
    }
    if function.kind == .mutation, let refusal = commitRefusal { return completion(self, .failure(refusal)) }
    runOrigin = origin
    let request = besideRequest(function, arguments: arguments, identity: identity, completion: completion)
    if function.kind == .mutation, beside.isExclusive {
      runOrigin = nil
      return runMutationBeside(request)
    }
    let outcome = arguments.withUnsafeBytes {
      function.kind == .mutation
        ? runMutation(function, arguments: $0, identity: identity)
        : runQuery(function, arguments: $0, identity: identity)
    }
    runOrigin = nil
    switch outcome {
    case .answered(let timestamp): completion(self, .success((timestamp, answer.bytes)))
    case .failed(let error): completion(self, .failure(error))
    case .needsOwnThread:
      if function.kind == .mutation { runMutationBeside(request) } else { runQueryBeside(request) }
    }
  }
}
