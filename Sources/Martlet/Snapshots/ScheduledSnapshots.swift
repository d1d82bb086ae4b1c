import MartletWire

/// Snapshots that the server writes by itself, every so often, and of which it keeps the newest.
struct ScheduledSnapshots {
  static let prefix = "scheduled-"
  var every: Double?
  var keep = 24
  /// How many could not be written since the start.
  var failures = 0
  /// A failure is tried again after so long, if the next one isn't due before.
  static let retryMilliseconds = 60_000.0
}

extension Engine {
  /// - Parameters:
  ///   - every: milliseconds from one to the next. The first is due so long after the newest that there is: a restart doesn't put it off.
  ///   - keep: how many of them stay. Other snapshots are never removed.
  package func scheduleSnapshots(every: Double, keep: Int) {
    scheduledSnapshots.every = every
    scheduledSnapshots.keep = keep
    let now = environment.clock.wallMilliseconds()
    let newest = knownSnapshots.lazy.filter { $0.name.hasPrefix(ScheduledSnapshots.prefix) }.map(\.createdAt).max()
    wakeForSnapshot(in: newest.map { min(max($0 + every - now, 0), every) } ?? 0)
  }

  private func wakeForSnapshot(in milliseconds: Double) {
    // A timer of days may be longer than a host's timers can be.
    let step = min(milliseconds, 3_600_000)
    host.schedule(afterMilliseconds: Int(step.rounded(.up))) {
      self.assumeIsolated { engine in
        guard engine.lifecycle == .running else { return }
        guard milliseconds <= step else { return engine.wakeForSnapshot(in: milliseconds - step) }
        Task(executorPreference: engine.host.actionExecutor) { await self.writeScheduledSnapshot() }
      }
    }
  }

  private func writeScheduledSnapshot() async {
    guard let every = scheduledSnapshots.every else { return }
    let start = environment.clock.wallMilliseconds()
    do {
      _ = try await writeSnapshot(.timed(prefix: ScheduledSnapshots.prefix))
      try await pruneScheduledSnapshots()
      wakeForSnapshot(in: max(0, start + every - environment.clock.wallMilliseconds()))
    } catch {
      scheduledSnapshots.failures += 1
      logger.error("a scheduled snapshot could not be written", metadata: ["error": "\(error)"])
      wakeForSnapshot(in: min(every, ScheduledSnapshots.retryMilliseconds))
    }
  }

  private func pruneScheduledSnapshots() async throws {
    let scheduled = knownSnapshots.filter { $0.name.hasPrefix(ScheduledSnapshots.prefix) }.sorted { $0.createdAt < $1.createdAt }
    for snapshot in scheduled.dropLast(scheduledSnapshots.keep) { try await deleteSnapshot(snapshot.name) }
  }
}
