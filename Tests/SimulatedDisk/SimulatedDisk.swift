import GRDBSQLite
import TestSupport

/// A disk in memory under SQLite, which loses power, refuses and fills up as a test says.
///
///     let disk = SimulatedDisk(seed: 7)
///     options.vfs = disk.name                       // the real storage, on this disk
///     disk.activity = "append"
///     disk.plan(.crash, after: 12, during: "append") // power goes at the thirteenth operation of appends
///     …
///     disk.restart(.torn)                            // what was not synced has survived in part
///
/// **What a crash does.** From the planned operation on, everything fails, as for a process that is no more. `restart` then decides what was
/// written to the platters: what was synced, and of what wasn't all, nothing, or any sectors of 512 bytes of any writes. Within one file
/// writes to the same sector keep their order; between sectors and files there is none. A file whose directory was not synced may be
/// gone, one that was removed without that may be back. Sectors that a write doesn't touch are never harmed (SQLite is told so, as it is
/// of real disks: `SQLITE_IOCAP_POWERSAFE_OVERWRITE`).
///
/// **Faults** that don't end the process: a read, write or sync that fails (a failed sync drops what it should have written, and the next
/// one succeeds without, as Linux has it), a disk that is full after so many bytes (the write that meets the end is done in part), bits
/// that flip, and syncs that do nothing.
///
/// Each operation is counted by what the storage is doing (`activity`), the file and the kind, and each fault where it hit: a
/// test asserts that it hit everything that it means to.
///
/// `@unchecked Sendable` is sound: one thread at a time, as the storage on it.
package final class SimulatedDisk: @unchecked Sendable {
  package enum FileRole: String, Hashable, Sendable { case database, log, journal, other }
  package enum OperationKind: String, Hashable, Sendable { case open, read, write, sync, truncate, delete }
  package enum Fault: String, Hashable, Sendable { case crash, failure, full }
  package enum Survival: CaseIterable, Sendable { case everything, nothing, torn }

  package struct Operation: Hashable, Sendable, CustomStringConvertible {
    package var activity: String
    package var file: FileRole
    package var kind: OperationKind

    package init(_ activity: String, _ file: FileRole, _ kind: OperationKind) {
      self.activity = activity
      self.file = file
      self.kind = kind
    }

    package var description: String { "\(activity): \(kind.rawValue) of the \(file.rawValue)" }
  }

  private struct Plan {
    var fault: Fault
    var activity: String?
    var kinds: Set<OperationKind>?
    var left: Int
  }

  /// What the storage is doing, for counting and for plans.
  package var activity = ""
  /// Bytes that all files together may have.
  package var capacity = Int.max
  /// A disk that says that it has synced, and hasn't.
  package var ignoresSyncs = false

  package private(set) var operations: [Operation: Int] = [:]
  package private(set) var hits: [Fault: [Operation: Int]] = [:]
  package private(set) var isDead = false
  package let name: String

  private(set) var generation = 0
  private var random: TestRandom
  private var files: [String: SimulatedFile] = [:]
  /// Files that were removed, and whose directory was not synced since.
  private var ghosts: [String: SimulatedFile] = [:]
  private var plans: [Plan] = []
  private var vfs: SimulatedVFS?

  package init(seed: UInt64) {
    random = TestRandom(seed: seed)
    name = SimulatedVFS.nextName()
    vfs = SimulatedVFS(self)
  }

  deinit { vfs?.unregister() }

  // MARK: For tests

  /// Lets a fault happen at an operation: the one after `count` others, of those of the activity and the kinds where they are given.
  /// Failures are of reads, writes or syncs only, as `kinds` says.
  package func plan(_ fault: Fault, after count: Int, during activity: String? = nil, kinds: Set<OperationKind>? = nil) {
    plans.append(Plan(fault: fault, activity: activity, kinds: kinds, left: count))
  }

  package func cancelPlans() { plans = [] }

  /// The power goes now, between two operations.
  package func cut() { isDead = true }

  /// The power is back: what has survived is there, and no file is open.
  package func restart(_ survival: Survival) {
    for name in ghosts.keys.sorted() where survival == .torn && files[name]?.hasDurableName != true && random.oneIn(2) {
      files[name] = ghosts[name]
    }
    for name in files.keys.sorted() {
      let isGone =
        files[name]!.hasDurableName ? false : survival == .nothing || survival == .torn && random.oneIn(2)
      if isGone { files[name] = nil } else { files[name]!.crash(survival, &random) }
    }
    ghosts = [:]
    plans = []
    isDead = false
    generation += 1
  }

  package func contents(_ name: String) -> [UInt8] { files[name]?.contents ?? [] }
  package func setContents(_ name: String, _ bytes: [UInt8]?) { files[name] = bytes.map { SimulatedFile(contents: $0) } }
  package func flip(bit: Int, of name: String) { files[name]!.flip(bit: bit) }
  package var fileNames: [String] { files.keys.sorted() }

  // MARK: For the VFS

  func fileExists(_ name: String) -> Bool { files[name] != nil }
  func size(of name: String) -> Int { files[name]?.contents.count ?? 0 }

  func open(_ name: String, creating: Bool) -> Int32 {
    switch met(name, .open) {
    case nil: break
    case .full?: return SQLITE_FULL
    default: return SQLITE_IOERR
    }
    if files[name] == nil {
      guard creating else { return SQLITE_CANTOPEN }
      files[name] = SimulatedFile()
    }
    return SQLITE_OK
  }

  func read(_ name: String, into buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> Int32 {
    guard met(name, .read) == nil, let file = files[name] else { return SQLITE_IOERR_READ }
    let count = max(0, min(buffer.count, file.contents.count - offset))
    file.contents.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[min(offset, $0.count)..<min(offset, $0.count) + count])) }
    guard count < buffer.count else { return SQLITE_OK }
    UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).initializeMemory(as: UInt8.self, repeating: 0)
    return SQLITE_IOERR_SHORT_READ
  }

  func write(_ name: String, _ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int32 {
    let fault = met(name, .write)
    guard files[name] != nil else { return SQLITE_IOERR_WRITE }
    switch fault {
    case .failure?: return SQLITE_IOERR_WRITE
    case .crash?:
      // It was handed over when the power went.
      if isJustDead { files[name]!.write(bytes, at: offset) }
      return SQLITE_IOERR_WRITE
    case .full?, nil: break
    }
    let growth = max(0, offset + bytes.count - files[name]!.contents.count)
    let used = files.values.reduce(0) { $0 + $1.contents.count }
    guard fault == nil, growth == 0 || used + growth <= capacity else {
      if fault == nil { hits[.full, default: [:]][Operation(activity, Self.role(name), .write), default: 0] += 1 }
      let part = min(bytes.count, max(0, capacity == .max ? bytes.count / 2 : bytes.count - (used + growth - capacity)))
      files[name]!.write(UnsafeRawBufferPointer(rebasing: bytes[..<part]), at: offset)
      return SQLITE_FULL
    }
    files[name]!.write(bytes, at: offset)
    return SQLITE_OK
  }

  func truncate(_ name: String, to size: Int) -> Int32 {
    guard met(name, .truncate) == nil, files[name] != nil else { return SQLITE_IOERR_TRUNCATE }
    files[name]!.truncate(to: size)
    return SQLITE_OK
  }

  func sync(_ name: String) -> Int32 {
    switch met(name, .sync) {
    case nil: break
    case .failure?:
      files[name]?.failToSync()
      return SQLITE_IOERR_FSYNC
    default: return SQLITE_IOERR_FSYNC
    }
    if !ignoresSyncs {
      files[name]?.sync()
      // Of a new journal or log SQLite syncs the directory too, and with it every name in there.
      if Self.role(name) != .database, files[name]?.hasDurableName == false {
        for name in files.keys { files[name]!.hasDurableName = true }
        ghosts = [:]
      }
    }
    return SQLITE_OK
  }

  func delete(_ name: String, durably: Bool) -> Int32 {
    guard met(name, .delete) == nil else { return SQLITE_IOERR_DELETE }
    guard let file = files.removeValue(forKey: name) else { return SQLITE_IOERR_DELETE_NOENT }
    ghosts[name] = durably || !file.hasDurableName ? nil : file
    return SQLITE_OK
  }

  /// True within the operation that the power went at.
  private var isJustDead = false

  /// Counts an operation, and says which fault it meets.
  private func met(_ name: String, _ kind: OperationKind) -> Fault? {
    isJustDead = false
    guard !isDead else { return .crash }
    let operation = Operation(activity, Self.role(name), kind)
    operations[operation, default: 0] += 1
    for index in plans.indices {
      let plan = plans[index]
      if let wanted = plan.activity, wanted != activity { continue }
      if let kinds = plan.kinds, !kinds.contains(kind) { continue }
      if plan.left > 0 {
        plans[index].left -= 1
        continue
      }
      plans.remove(at: index)
      hits[plan.fault, default: [:]][operation, default: 0] += 1
      if plan.fault == .crash {
        isDead = true
        isJustDead = true
      }
      return plan.fault
    }
    return nil
  }

  private static func role(_ name: String) -> FileRole {
    name.hasSuffix("-wal") ? .log : name.hasSuffix("-journal") ? .journal : name.hasSuffix(".db") ? .database : .other
  }
}
