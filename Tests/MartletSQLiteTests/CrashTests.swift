import Foundation
import Martlet
import MartletValues
import Testing

@testable import MartletSQLite

/// G8 on the real file: after a crash at any byte, the state is a prefix of the commit order that holds every acknowledged commit.
///
/// A crash is simulated on copies. Of what was written since the last sync, a disk may have kept any sectors and lost any others; so a copy
/// takes each sector of 512 bytes either as it was when it was last synced, or as it is now. SQLite's own syncs are barriers, and the test knows them:
/// a checkpoint syncs the WAL before it writes to the database; a WAL that begins at its front again has its header synced before its frames.
@Suite("Crashes")
struct CrashTests {
  struct Image {
    var database: [UInt8]
    var log: [UInt8]

    init(of path: String) {
      database = readFile(path)
      log = readFile(path + "-wal")
    }

    func write(to path: String) {
      writeFile(path, database)
      writeFile(path + "-wal", log)
    }
  }

  static func mixed(_ old: [UInt8], _ new: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
    if old == new { return new }
    var result: [UInt8] = []
    let keepsNew = UInt8.random(in: 1...9, using: &generator)
    for start in stride(from: 0, to: max(old.count, new.count), by: 512) {
      let wantsNew = UInt8.random(in: 0..<10, using: &generator) < keepsNew
      let source = wantsNew ? new : old
      guard start < source.count else { continue }
      // A sector that is lost before one that is kept reads as zeros.
      if result.count < start { result.append(contentsOf: repeatElement(0, count: start - result.count)) }
      result.append(contentsOf: source[start..<min(start + 512, source.count)])
    }
    return result
  }

  static func crash(durable: Image, current: Image, _ generator: inout SeededGenerator) -> Image {
    var crashed = current
    if durable.database != current.database {
      crashed.database = mixed(durable.database, current.database, &generator)
    }
    let restarted = durable.log.count >= 32 && current.log.prefix(32) != durable.log.prefix(32)
    if restarted, Int.random(in: 0..<4, using: &generator) == 0 {
      crashed.log = durable.log
      if Bool.random(using: &generator) { crashed.log.replaceSubrange(0..<32, with: current.log.prefix(32)) }
    } else {
      crashed.log = mixed(durable.log, current.log, &generator)
      if restarted { crashed.log.replaceSubrange(0..<min(32, crashed.log.count), with: current.log.prefix(32)) }
    }
    return crashed
  }

  @Test("After a crash the state is a prefix that holds every synced batch", arguments: 1...12)
  func prefix(seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    var workload = Workload(seed: seed)
    let path = directory("data.db")
    let (storage, _) = try recover(path)
    var durable = Image(of: path)
    var syncedTimestamp: UInt64 = 0
    var phases: Set<String> = []
    for step in 0..<220 {
      let walBytes = storage.walBytes
      var isSynced = false
      var isCheckpointOfWAL = false
      if storage.checkpointIsDue, Bool.random(using: &workload.generator) {
        isCheckpointOfWAL = walBytes >= smallOptions.walBytes
        if isCheckpointOfWAL {
          // It writes a row, then syncs the WAL, then writes to the database.
          try storage.noteLogEnd()
          durable.log = readFile(path + "-wal")
          syncedTimestamp = workload.timestamp
        }
        _ = try storage.checkpointSlice()
        phases.insert(isCheckpointOfWAL ? "wal" : storage.fold.map { "\($0.phase)" } ?? "done")
      } else if Int.random(in: 0..<8, using: &workload.generator) == 0 {
        try storage.sync()
        isSynced = !storage.hasUnsyncedBatches && syncedTimestamp < workload.timestamp
      } else {
        isSynced = Bool.random(using: &workload.generator)
        try storage.append(workload.nextBatch(), sync: isSynced)
      }
      let current = Image(of: path)
      // Before the call's sync has returned, all that it wrote may be there or not.
      if step % 4 == 0 {
        let crashed = isCheckpointOfWAL
          ? { var image = current; image.database = Self.mixed(durable.database, current.database, &workload.generator); image.log = durable.log; return image }()
          : Self.crash(durable: durable, current: current, &workload.generator)
        let copy = directory("crash-\(step).db")
        crashed.write(to: copy)
        let (recovered, sink) = try recover(copy)
        #expect(sink.lastTimestamp >= syncedTimestamp && sink.lastTimestamp <= workload.timestamp)
        #expect(sink.contents == workload.history[sink.lastTimestamp])
        try recovered.close()
        try FileManager.default.removeItem(atPath: copy)
      }
      if isSynced {
        durable = current
        syncedTimestamp = workload.timestamp
      } else if isCheckpointOfWAL {
        durable = current
      }
    }
    #expect(phases.isSuperset(of: ["wal", "reading", "writing", "deleting"]))
  }

  @Test("A write-ahead log that is cut at any byte leaves a prefix", arguments: 1...6)
  func truncation(seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    var workload = Workload(seed: seed)
    let path = directory("data.db")
    // A WAL that was checkpointed was synced before, and no crash cuts it: so it isn't, here.
    var options = smallOptions
    options.walBytes = .max
    let (storage, _) = try recover(path, options: options)
    for _ in 0..<60 {
      try storage.append(workload.nextBatch(), sync: false)
      if storage.fold != nil || storage.unfoldedLogBytes > smallOptions.unfoldedBytes { _ = try storage.checkpointSlice() }
    }
    let image = Image(of: path)
    var last: UInt64 = 0
    for length in (0..<25).map({ _ in Int.random(in: 0...image.log.count, using: &workload.generator) }).sorted() {
      var cut = image
      cut.log = Array(image.log[..<length])
      cut.write(to: directory("cut.db"))
      let (recovered, sink) = try recover(directory("cut.db"))
      #expect(sink.contents == workload.history[sink.lastTimestamp])
      #expect(sink.lastTimestamp >= last)
      last = sink.lastTimestamp
      try recovered.close()
    }
  }

  @Test("A bit that changes in the file is found, or changes nothing", arguments: 1...6)
  func bitFlips(seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    var workload = Workload(seed: seed)
    let path = directory("data.db")
    let (storage, _) = try recover(path)
    for _ in 0..<80 {
      try storage.append(workload.nextBatch(), sync: false)
      if storage.checkpointIsDue { _ = try storage.checkpointSlice() }
    }
    try storage.close()
    let image = readFile(path)
    var found = 0
    for _ in 0..<150 {
      var flipped = image
      let offset = Int.random(in: flipped.indices, using: &workload.generator)
      flipped[offset] ^= 1 << UInt8.random(in: 0..<8, using: &workload.generator)
      writeFile(directory("flipped.db"), flipped)
      try? FileManager.default.removeItem(atPath: directory("flipped.db-wal"))
      do {
        let (recovered, sink) = try recover(directory("flipped.db"))
        #expect(sink.contents == workload.contents, "byte \(offset)")
        #expect(sink.lastTimestamp == workload.timestamp, "byte \(offset)")
        try recovered.close()
      } catch let error as StorageError {
        found += 1
        #expect(error.message.contains("flipped.db"))
        #expect([.corrupt, .versionMismatch, .unavailable].contains(error.code), "\(error)")
      }
    }
    #expect(found > 0)
  }

  @Test("An error names the document, or the row, that is damaged")
  func damageIsNamed() throws {
    let directory = try TemporaryDirectory()
    var workload = Workload(seed: 1)
    let (storage, _) = try recover(directory("data.db"))
    for _ in 0..<30 { try storage.append(workload.nextBatch(), sync: false) }
    while try storage.checkpointSlice() {}
    let folded = workload.timestamp
    let id = workload.contents.keys.sorted()[3]
    for _ in 0..<3 { try storage.append(workload.nextBatch(), sync: false) }
    try storage.close()

    func damaged(_ sql: String) throws -> String {
      writeFile(directory("copy.db"), readFile(directory("data.db")))
      let connection = try Connection(path: directory("copy.db"), purpose: .build)
      try connection.execute(sql)
      try connection.close()
      do {
        _ = try recover(directory("copy.db"))
        return "nothing was found"
      } catch let error as StorageError {
        return error.code == .corrupt ? error.message : "\(error)"
      }
    }
    let text = DocumentKey.withBytes(of: id) { key in key.map { String(format: "%02x", $0) }.joined() }
    #expect(try damaged("UPDATE documents SET json = json || ' ' WHERE id = x'\(text)'").contains("document \(id)"))
    #expect(try damaged("DELETE FROM documents WHERE id = x'\(text)'").contains("table documents holds"))
    #expect(try damaged("UPDATE commit_log SET payload = zeroblob(length(payload))").contains("table commit_log, row "))
    #expect(try damaged("DELETE FROM commit_log WHERE previous_timestamp = \(folded)").contains("a row is missing"))
    #expect(try damaged("DELETE FROM commit_log WHERE last_timestamp = \(workload.timestamp)").contains("rows are lost"))
    #expect(try damaged("UPDATE checkpoint SET folded_timestamp = folded_timestamp - 1").contains("table checkpoint"))
  }
}
