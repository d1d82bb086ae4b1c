import Martlet
import SimulatedDisk
import TestSupport

@testable import MartletSQLite

/// One data file through several lives, each of which ends by a loss of power somewhere; and what must be there afterwards (G8).
///
///     create, or open ─▶ recover ─▶ hold against the history ─▶ append, sync, checkpoint, fold, close … ─▶ power ─▶ again
///
/// The history knows the contents after each batch. What is recovered must be the contents after one of them, at or after the last that was
/// acknowledged: nothing half, nothing lost, nothing that was never written.
struct CrashTrial {
  /// Faults of a storage, put in on purpose: the checker must find each.
  enum Defect: CaseIterable {
    /// Appends without a sync, and says that it is durable.
    case acknowledgesEarly
    /// Says that a batch is durable, and never wrote it.
    case forgetsABatch
    /// The disk says that it has synced, and hasn't.
    case disk
    /// A document's row gets lost, and count and sum with it.
    case losesADocument
  }

  /// What a storage does, as operations are counted by it.
  enum Activity: String, CaseIterable {
    case creating, opening, recovering
    case appendSynced = "synced append", appendRelaxed = "relaxed append", syncing
    case checkpoint = "WAL checkpoint", reading = "fold, reading", writing = "fold, writing", deleting = "fold, deleting"
    case closing
  }

  struct Coverage: Sendable {
    var crashes: [SimulatedDisk.Operation: Int] = [:]
    /// Power that went between two operations, by what came before.
    var cuts: [String: Int] = [:]
    var lives = 0
    var refusedLoss = 0

    mutating func add(_ other: Coverage) {
      crashes.merge(other.crashes, uniquingKeysWith: +)
      cuts.merge(other.cuts, uniquingKeysWith: +)
      lives += other.lives
    }
  }

  static let path = "/data.db"
  let disk: SimulatedDisk
  var random: TestRandom
  var workload: Workload
  var acknowledged: UInt64 = 0
  var coverage = Coverage()
  let defect: Defect?
  let options: SQLiteStorage.Options

  init(seed: UInt64, defect: Defect? = nil) {
    disk = SimulatedDisk(seed: seed)
    disk.ignoresSyncs = defect == .disk
    random = TestRandom(seed: seed)
    workload = Workload(seed: seed)
    workload.documentCount = 40
    workload.largestDocument = random.oneIn(4) ? 600 : 60
    self.defect = defect
    var options = smallOptions
    options.vfs = disk.name
    options.walBytes = 64 << 10
    options.unfoldedBytes = 3 << 10
    options.sliceLogBytes = 1 << 10
    self.options = options
  }

  /// What is wrong with the storage; nil if nothing was seen.
  mutating func run(lives: Int) -> String? {
    for life in 0..<lives {
      // Power goes at some operation of some activity. Those that come in each life only once have few operations.
      let activity = random.element(of: Activity.allCases)
      disk.plan(.crash, after: random.number(0..<(activity == .creating ? 24 : 12)), during: activity.rawValue)
      if let problem = live(isFirst: life == 0) { return "life \(life): \(problem)" }
      coverage.lives += 1
      disk.restart(random.element(of: SimulatedDisk.Survival.allCases))
    }
    // The last life is a short one, without a crash.
    return live(isFirst: false, steps: 5)
  }

  private mutating func live(isFirst: Bool, steps: Int? = nil) -> String? {
    var current: SQLiteStorage?
    defer {
      if let current { Self.letGo(current) }
      coverage.crashes = disk.hits[.crash] ?? [:]
    }
    do {
      disk.activity = isFirst || disk.fileNames.isEmpty ? Activity.creating.rawValue : Activity.opening.rawValue
      let storage = try SQLiteStorage(path: Self.path, options: options)
      current = storage
      disk.activity = Activity.recovering.rawValue
      var sink = CollectingSink()
      try storage.recover(into: &sink)
      guard sink.lastTimestamp >= acknowledged else { return "ends at \(sink.lastTimestamp), but \(acknowledged) was acknowledged" }
      guard let expected = workload.history[sink.lastTimestamp] else { return "ends at \(sink.lastTimestamp), within a batch" }
      guard sink.contents == expected else { return "other contents than the history has at \(sink.lastTimestamp)" }
      workload.rewind(to: sink.lastTimestamp)
      acknowledged = sink.lastTimestamp
      for _ in 0..<(steps ?? random.number(5..<45)) { try step(storage) }
      if random.oneIn(2) {
        disk.activity = Activity.closing.rawValue
        try storage.close()
        acknowledged = workload.timestamp
        // SQLite says nothing of what fails while it moves the log; nothing is lost by it.
        guard !disk.isDead else { return nil }
        coverage.cuts["after closing", default: 0] += 1
      } else {
        let phase = storage.fold.map { "fold, \($0.phase)" } ?? "no fold"
        coverage.cuts[phase, default: 0] += 1
      }
      disk.cut()
      return nil
    } catch {
      return disk.isDead ? nil : "\(error)"
    }
  }

  private mutating func step(_ storage: SQLiteStorage) throws {
    if storage.checkpointIsDue || random.oneIn(6), !random.oneIn(3) {
      let isOfLog = storage.walBytes >= options.walBytes
      disk.activity = isOfLog ? Activity.checkpoint.rawValue : "fold, \(storage.fold?.phase ?? .reading)"
      _ = try storage.checkpointSlice()
      if defect == .losesADocument, storage.fold == nil { try loseADocument(storage) }
    } else if random.oneIn(8) {
      disk.activity = Activity.syncing.rawValue
      try storage.sync()
      acknowledged = workload.timestamp
    } else {
      let isSynced = random.oneIn(2)
      disk.activity = (isSynced ? Activity.appendSynced : .appendRelaxed).rawValue
      let batch = workload.nextBatch()
      if defect == .forgetsABatch, random.oneIn(5) {
        if isSynced { acknowledged = workload.timestamp }
        return
      }
      try storage.append(batch, sync: isSynced && defect != .acknowledgesEarly)
      if isSynced { acknowledged = workload.timestamp }
    }
  }

  private func loseADocument(_ storage: SQLiteStorage) throws {
    try storage.connection.execute(
      "CREATE TEMP TABLE IF NOT EXISTS lost (id, checksum); DELETE FROM lost; INSERT INTO lost SELECT id, checksum FROM documents LIMIT 1")
    guard try storage.connection.integer("SELECT count(*) FROM lost") == 1 else { return }
    storage.checkpoint.documentCount -= 1
    storage.checkpoint.documentSum &-= UInt64(bitPattern: try storage.connection.integer("SELECT checksum FROM lost"))
    try storage.connection.execute("DELETE FROM documents WHERE id = (SELECT id FROM lost)")
    try storage.noteLogEnd()
  }

  /// What the end of a process does for a storage that has failed, and that keeps its connection open for that reason: here thousands
  /// end in one process.
  static func letGo(_ storage: SQLiteStorage) {
    try? storage.close()
    storage.statements = nil
    try? storage.connection.close()
  }
}
