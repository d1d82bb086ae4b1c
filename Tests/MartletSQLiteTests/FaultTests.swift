import Martlet
import SimulatedDisk
import TestSupport
import Testing

@testable import MartletSQLite

/// The storage's own promises while the disk fails but the process lives on.
@Suite("A disk that fails")
struct FaultTests {
  static let kinds: [SimulatedDisk.OperationKind] = [.read, .write, .sync]

  /// A run of appends and checkpoints on a disk that fails once. Answers with what the fault hit.
  static func run(seed: UInt64, _ kind: SimulatedDisk.OperationKind?) throws -> [SimulatedDisk.Operation] {
    let disk = SimulatedDisk(seed: seed)
    var random = TestRandom(seed: seed)
    var options = smallOptions
    options.vfs = disk.name
    var workload = Workload(seed: seed)
    workload.largestDocument = 100
    let (storage, _) = try recover(CrashTrial.path, options: options)
    var acknowledged: UInt64 = 0
    if let kind { disk.plan(.failure, after: random.number(0..<80), kinds: [kind]) } else { disk.capacity = 40_000 + random.number(0..<250_000) }
    var failure: StorageError?
    for _ in 0..<300 where failure == nil {
      do {
        if storage.checkpointIsDue || random.oneIn(5) {
          disk.activity = "checkpoint"
          _ = try storage.checkpointSlice()
        } else {
          disk.activity = "append"
          let isSynced = random.oneIn(2)
          try storage.append(workload.nextBatch(), sync: isSynced)
          if isSynced { acknowledged = workload.timestamp }
        }
      } catch let error as StorageError { failure = error }
    }
    let hits = (disk.hits[kind == nil ? .full : .failure] ?? [:]).keys
    if hits.isEmpty {
      #expect(failure == nil)
    } else {
      let error = try #require(failure, "\(hits) was hidden")
      #expect(error.code == .failed, "\(error)")
      #expect(error.message.contains(CrashTrial.path) && error.message.contains("restart"), "\(error)")
      if kind == nil { #expect(error.message.contains("full")) }
      // S8: nothing is asked of the disk any more, not even by closing.
      let before = disk.operations
      disk.capacity = .max
      #expect(throws: StorageError.self) { try storage.append(workload.nextBatch(), sync: true) }
      #expect(throws: StorageError.self) { try storage.sync() }
      #expect(throws: StorageError.self) { _ = try storage.checkpointSlice() }
      try storage.close()
      #expect(disk.operations == before)
    }
    disk.capacity = .max
    disk.cut()
    CrashTrial.letGo(storage)
    disk.restart(random.element(of: SimulatedDisk.Survival.allCases))
    let (again, sink) = try recover(CrashTrial.path, options: options)
    #expect(sink.lastTimestamp >= acknowledged)
    #expect(sink.contents == workload.history[sink.lastTimestamp])
    try again.close()
    return Array(hits)
  }

  @Test("A read, write or sync that fails, and a full disk, stop the storage; a restart has what was acknowledged; each was met")
  func failures() throws {
    var met: Set<SimulatedDisk.Operation> = []
    for seed in 0..<60 {
      for kind in Self.kinds { met.formUnion(try Self.run(seed: UInt64(seed), kind)) }
    }
    for (activity, file, kind) in [
      ("append", SimulatedDisk.FileRole.log, SimulatedDisk.OperationKind.write), ("append", .log, .sync), ("checkpoint", .log, .write),
      ("checkpoint", .log, .read), ("checkpoint", .log, .sync), ("checkpoint", .database, .write), ("checkpoint", .database, .sync),
    ] {
      #expect(met.contains(.init(activity, file, kind)), "no failure at \(activity), \(kind) of the \(file)")
    }
    var full: Set<SimulatedDisk.Operation> = []
    for seed in 0..<60 { full.formUnion(try Self.run(seed: UInt64(seed), nil)) }
    #expect(full.contains(.init("append", .log, .write)) && full.contains(.init("checkpoint", .database, .write)), "\(full)")
  }

  @Test("A sync that failed while closing is told, and is not tried again")
  func closing() throws {
    let disk = SimulatedDisk(seed: 1)
    var options = smallOptions
    options.vfs = disk.name
    var workload = Workload(seed: 1)
    var storage: SQLiteStorage? = try recover(CrashTrial.path, options: options).storage
    try storage!.append(workload.nextBatch(), sync: false)
    disk.plan(.failure, after: 0, kinds: [.sync])
    #expect { try storage!.close() } throws: { ($0 as? StorageError)?.code == .failed }
    let before = disk.operations
    try storage!.close()
    disk.cut()
    CrashTrial.letGo(storage!)
    storage = nil
    #expect(disk.operations == before)
  }
}
