import Foundation
import Martlet
import MartletValues
import Synchronization
import Testing

@testable import MartletSQLite

@Suite("The kept log")
struct KeptLogTests {
  /// Milliseconds of the workload's commits, whose clock goes on by 10 a timestamp.
  final class Clock: Sendable {
    private let time = Mutex(0.0)
    var now: Double {
      get { time.withLock { $0 } }
      set { time.withLock { $0 = newValue } }
    }
  }

  static func options(_ clock: Clock, window: Double? = .infinity) -> SQLiteStorage.Options {
    var options = smallOptions
    options.keptMilliseconds = window
    options.now = { clock.now }
    return options
  }

  /// What the rewind makes of the contents as they are.
  static func rewound(_ contents: Contents, _ rewind: Rewind) -> Contents {
    var contents = contents
    for (id, document) in rewind.documents {
      contents[id] = document.map { StoredDocument(creationTime: $0.creationTime, json: $0.json) }
    }
    return contents
  }

  /// The contents after the last batch up to a timestamp, where it is one's end.
  static func expect(_ storage: SQLiteStorage, toLeadBackTo timestamp: UInt64, of workload: Workload, now: Contents) throws {
    let rewind = try storage.rewind(to: .timestamp(timestamp))
    #expect(rewind.timestamp == timestamp)
    #expect(rewound(now, rewind) == workload.history[timestamp], "timestamp \(timestamp)")
  }

  @Test("Every state within the window is led back to, while the log is folded, across restarts", arguments: 1...6)
  func everyState(seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    let clock = Clock()
    var workload = Workload(seed: seed)
    var (storage, _) = try recover(directory("data.db"), options: Self.options(clock))
    for round in 0..<120 {
      try storage.append(workload.nextBatch(), sync: false)
      if storage.checkpointIsDue || Int.random(in: 0..<3, using: &workload.generator) == 0 { _ = try storage.checkpointSlice() }
      if round % 10 == 9 {
        let timestamp = workload.history.keys.randomElement(using: &workload.generator)!
        try Self.expect(storage, toLeadBackTo: timestamp, of: workload, now: workload.contents)
      }
      if round % 45 == 44 {
        try storage.close()
        (storage, _) = try recover(directory("data.db"), options: Self.options(clock))
      }
    }
    #expect(storage.kept.rounds.count > 3 && storage.keptFrom == 0)
    for timestamp in workload.history.keys { try Self.expect(storage, toLeadBackTo: timestamp, of: workload, now: workload.contents) }
    // By time: the commit of timestamp t was made at 10 t.
    for timestamp in workload.history.keys where timestamp > 0 {
      let rewind = try storage.rewind(to: .time(Double(timestamp) * 10))
      #expect(rewind.timestamp == timestamp)
      #expect(Self.rewound(workload.contents, rewind) == workload.history[timestamp])
    }
    #expect { _ = try storage.rewind(to: .timestamp(workload.timestamp + 1)) } throws: { ($0 as? StorageError)?.code == .unavailable }
    #expect { _ = try storage.rewind(to: .time(1)) } throws: { ($0 as? StorageError)?.code == .unavailable }
  }

  @Test("What is older than the window goes, in slices, and what is within stays", arguments: 1...4)
  func trimming(seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    let clock = Clock()
    var workload = Workload(seed: seed)
    let (storage, _) = try recover(directory("data.db"), options: Self.options(clock, window: 1_000))
    var greatestRowCount: Int64 = 0
    for _ in 0..<400 {
      try storage.append(workload.nextBatch(), sync: false)
      clock.now = Double(workload.timestamp) * 10
      for _ in 0..<3 { _ = try storage.checkpointSlice() }
      greatestRowCount = max(greatestRowCount, try storage.connection.integer("SELECT count(*) FROM commit_log"))
    }
    while try storage.checkpointSlice() {}
    let oldest = UInt64(clock.now / 10) - 100
    #expect(storage.keptFrom > 0 && storage.keptFrom <= oldest)
    #expect(greatestRowCount < 200)
    for timestamp in workload.history.keys where timestamp >= storage.keptFrom {
      try Self.expect(storage, toLeadBackTo: timestamp, of: workload, now: workload.contents)
    }
    #expect { _ = try storage.rewind(to: .timestamp(storage.keptFrom - 1)) } throws: { "\($0)".contains("leads back to timestamp \(storage.keptFrom)") }
    // Then time goes on, and all of it goes.
    clock.now += 2_000
    #expect(storage.millisecondsToNextSlice == 0)
    while try storage.checkpointSlice() {}
    #expect(try storage.connection.integer("SELECT count(*) FROM commit_log") == 0)
    #expect(try storage.connection.integer("SELECT count(*) FROM kept_images") == 0)
    #expect(try storage.connection.integer("SELECT count(*) FROM kept_rounds") == 0)
    #expect(storage.millisecondsToNextSlice == nil && storage.keptFrom == workload.timestamp)
    try storage.close()
    #expect(try recover(directory("data.db")).sink.contents == workload.contents)
  }

  @Test("A file that is opened without a window forgets the way back, and one that is opened with one again begins anew")
  func switchedOff() throws {
    let directory = try TemporaryDirectory()
    let clock = Clock()
    var workload = Workload(seed: 11)
    func run(window: Double?, batches: Int, foldingAll: Bool) throws -> SQLiteStorage {
      let (storage, sink) = try recover(directory("data.db"), options: Self.options(clock, window: window))
      #expect(sink.contents == workload.contents)
      for _ in 0..<batches {
        try storage.append(workload.nextBatch(), sync: false)
        if foldingAll || workload.timestamp % 3 == 0 { _ = try storage.checkpointSlice() }
      }
      if foldingAll { while try storage.checkpointSlice() {} }
      return storage
    }
    try run(window: .infinity, batches: 60, foldingAll: false).close()
    let off = try run(window: nil, batches: 20, foldingAll: true)
    #expect(try off.connection.integer("SELECT (SELECT count(*) FROM commit_log) + (SELECT count(*) FROM kept_images)") == 0)
    let begin = workload.timestamp
    try off.close()
    let on = try run(window: .infinity, batches: 60, foldingAll: false)
    #expect(on.keptFrom == begin)
    for timestamp in workload.history.keys where timestamp >= begin {
      try Self.expect(on, toLeadBackTo: timestamp, of: workload, now: workload.contents)
    }
  }

  @Test("After a crash while rounds are kept the state is a prefix, and leads back to each state before it", arguments: 1...8)
  func crashes(seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    let clock = Clock()
    let options = Self.options(clock, window: 1_500)
    var workload = Workload(seed: seed)
    let path = directory("data.db")
    let (storage, _) = try recover(path, options: options)
    var durable = CrashTests.Image(of: path)
    var syncedTimestamp: UInt64 = 0
    var interrupted = 0
    for step in 0..<200 {
      var isSynced = false
      if storage.checkpointIsDue, storage.walBytes >= smallOptions.walBytes {
        _ = try storage.checkpointSlice()
        durable = CrashTests.Image(of: path)
        syncedTimestamp = workload.timestamp
      } else if Int.random(in: 0..<2, using: &workload.generator) == 0 {
        _ = try storage.checkpointSlice()
      } else {
        isSynced = Bool.random(using: &workload.generator)
        try storage.append(workload.nextBatch(), sync: isSynced)
        clock.now = Double(workload.timestamp) * 10
      }
      let current = CrashTests.Image(of: path)
      if step % 4 == 0 {
        let copy = directory("crash-\(step).db")
        CrashTests.crash(durable: durable, current: current, &workload.generator).write(to: copy)
        // As often as not the next start has another mind about keeping.
        let window: Double? = [1_500, 1_500, nil].randomElement(using: &workload.generator)!
        let opened = try SQLiteStorage(path: copy, options: Self.options(clock, window: window))
        if opened.checkpoint.foldTarget != nil { interrupted += 1 }
        var sink = CollectingSink()
        try opened.recover(into: &sink)
        #expect(sink.lastTimestamp >= syncedTimestamp && sink.contents == workload.history[sink.lastTimestamp])
        if window != nil, let oldest = opened.kept.rounds.first { #expect(oldest.endedMilliseconds <= clock.now) }
        for timestamp in workload.history.keys where timestamp >= opened.keptFrom && timestamp <= sink.lastTimestamp {
          try Self.expect(opened, toLeadBackTo: timestamp, of: workload, now: sink.contents)
        }
        // It goes on from there.
        while try opened.checkpointSlice() {}
        try opened.close()
        #expect(try recover(copy).sink.contents == sink.contents)
        try FileManager.default.removeItem(atPath: copy)
      }
      if isSynced {
        durable = current
        syncedTimestamp = workload.timestamp
      }
    }
    #expect(interrupted > 0)
  }

  @Test("An image that is damaged or lost is found, and never led back to")
  func damage() throws {
    let directory = try TemporaryDirectory()
    let clock = Clock()
    var workload = Workload(seed: 4)
    let (storage, _) = try recover(directory("data.db"), options: Self.options(clock))
    for _ in 0..<60 { try storage.append(workload.nextBatch(), sync: false) }
    while try storage.checkpointSlice() {}
    try storage.close()
    for sql in [
      "UPDATE kept_images SET json = '{}' WHERE json IS NOT NULL", "UPDATE kept_images SET json = NULL", "DELETE FROM kept_images",
      "UPDATE kept_images SET round = round + 1 WHERE round > 0", "UPDATE kept_rounds SET ended_milliseconds = 0",
    ] {
      writeFile(directory("copy.db"), readFile(directory("data.db")))
      let connection = try Connection(path: directory("copy.db"), purpose: .build)
      try connection.execute(sql)
      try connection.close()
      #expect("\(sql)") {
        let (damaged, sink) = try recover(directory("copy.db"), options: Self.options(clock))
        #expect(sink.contents == workload.contents)
        for timestamp in workload.history.keys where timestamp >= damaged.keptFrom { _ = try damaged.rewind(to: .timestamp(timestamp)) }
      } throws: { ($0 as? StorageError)?.code == .corrupt }
      // The data themselves are whole, for a server that doesn't keep its log.
      #expect(try recover(directory("copy.db")).sink.contents == workload.contents)
    }
  }

  @Test("The log is told from its end, page by page, with functions and documents")
  func log() throws {
    let directory = try TemporaryDirectory()
    var workload = Workload(seed: 21)
    let (storage, _) = try recover(directory("data.db"), options: Self.options(Clock()))
    var expected: [LoggedCommit] = []
    for index in 0..<100 {
      var batch = workload.nextBatch()
      // The same commits, by somebody.
      var writer = CommitRecordWriter()
      let name = Array("module:function\(index % 3)".utf8)
      batch.bytes.withUnsafeBytes { bytes in
        try? CommitRecord.decodeAll(bytes) { record in
          var named = record
          name.withUnsafeBytes {
            named.function = $0
            writer.append(named)
            if let commit = try? LoggedCommit(named) { expected.append(commit) }
          }
        }
      }
      batch = writer.takeBatch()!
      try storage.append(batch, sync: false)
      if index % 2 == 0 { _ = try storage.checkpointSlice() }
    }
    func all(_ request: LogRequest) throws -> [LoggedCommit] {
      var (request, found): (LogRequest, [LoggedCommit]) = (request, [])
      while true {
        let page = try storage.log(request)
        #expect(page.commits.count <= request.limit)
        found += page.commits
        guard let next = page.next else { return found }
        #expect(next < request.before)
        request.before = next
      }
    }
    for limit in [1, 7, 1_000] { #expect(try all(LogRequest(limit: limit)) == expected.reversed()) }
    let middle = expected[expected.count / 2]
    #expect(try all(LogRequest(before: middle.timestamp, limit: 10)) == expected.filter { $0.timestamp < middle.timestamp }.reversed())
    #expect(try all(LogRequest(limit: 10, since: middle.wallMilliseconds)) == expected.filter { $0.timestamp >= middle.timestamp }.reversed())
    #expect(
      try all(LogRequest(limit: 10, table: 2))
        == expected.filter { $0.writes.contains { $0.id.tableNumber == 2 } }.reversed())
  }

  @Test("A large batch is several rows, there whole or not at all")
  func largeBatch() throws {
    let directory = try TemporaryDirectory()
    var options = smallOptions
    options.rowBytes = 2 << 10
    var workload = Workload(seed: 8)
    let (storage, _) = try recover(directory("data.db"), options: options)
    var writer = CommitRecordWriter()
    for _ in 0..<20 {
      try workload.nextBatch().bytes.withUnsafeBytes { bytes in try CommitRecord.decodeAll(bytes) { writer.append($0) } }
    }
    try storage.append(writer.takeBatch()!, sync: true)
    #expect(try storage.connection.integer("SELECT count(*) FROM commit_log") > 5)
    let image = CrashTests.Image(of: directory("data.db"))
    for length in stride(from: 0, through: image.log.count, by: 4_096) {
      var cut = image
      cut.log = Array(image.log[..<length])
      cut.write(to: directory("cut.db"))
      let (recovered, sink) = try recover(directory("cut.db"), options: options)
      #expect(sink.contents == workload.history[sink.lastTimestamp] && [0, workload.timestamp].contains(sink.lastTimestamp))
      try recovered.close()
    }
    while try storage.checkpointSlice() {}
    try storage.close()
    #expect(try recover(directory("data.db")).sink.contents == workload.contents)
  }
}
