import MartletWire

/// The newest lines that functions logged, and the runs that were worth an entry, in the order in which they ended: a run's lines come right before it.
///
/// Bounded in entries and in bytes: the oldest make room. Each has a number, one more than the one before, so that a reader who says which it has seen
/// last gets the rest, none twice, and is told how many it missed. Numbers go on across restarts: the first is the time in microseconds when the server
/// started, and nobody logs a million lines a second for long.
struct RunLog {
  enum Entry {
    case line(LogLine)
    case run(FinishedRun)
  }

  static let maximumCount = 5_000
  static let maximumBytes = 4 << 20

  private var entries: ContiguousArray<Entry> = []
  /// Where in `entries` the oldest one stands that is kept. Those before it are let go many at a time.
  private var start = 0
  private var byteCount = 0
  private var startNumber: UInt64
  /// The number of this server's first entry.
  private let firstNumber: UInt64
  /// The last entry is the run of a request, and it isn't known yet of which.
  private(set) var lacksRequest = false

  init(startMilliseconds: Double) {
    firstNumber = UInt64(startMilliseconds * 1_000)
    startNumber = firstNumber
  }

  var lastNumber: UInt64 { startNumber + UInt64(entries.count - start) - 1 }

  mutating func append(_ line: LogLine) { append(.line(line)) }

  mutating func append(_ run: FinishedRun) {
    append(.run(run))
    if case .request = run.origin { lacksRequest = true }
  }

  private mutating func append(_ entry: Entry) {
    lacksRequest = false
    entries.append(entry)
    byteCount += entry.byteCount
    while entries.count - start > Self.maximumCount || byteCount > Self.maximumBytes, entries.count - start > 1 {
      byteCount -= entries[start].byteCount
      start += 1
      startNumber += 1
    }
    if start > Self.maximumCount {
      entries.removeFirst(start)
      start = 0
    }
  }

  /// Says of which request the last run was, if it was one's.
  mutating func noteRequest(_ session: String, _ id: String) {
    guard lacksRequest, let last = entries.indices.last, case .run(var run) = entries[last] else { return }
    run.origin = .request(session: session, id: id)
    entries[last] = .run(run)
    lacksRequest = false
  }

  mutating func forgetRequest() { lacksRequest = false }

  // MARK: Reading

  struct Filter {
    /// How a function's name begins.
    var function = ""
    var level = FunctionLog.Level.debug
    var wantsRuns = false

    func takes(_ entry: Entry) -> Bool {
      switch entry {
      case .line(let line): line.level.rank >= level.rank && line.function.hasPrefix(function)
      case .run(let run): wantsRuns && run.level.rank >= level.rank && run.function.hasPrefix(function)
      }
    }
  }

  /// The newest first, as an array.
  func writeNewest(_ limit: Int, _ filter: Filter, to writer: inout JSONWriter) {
    writer.write(byte: UInt8(ascii: "["))
    var count = 0
    for index in entries.indices[start...].reversed() where filter.takes(entries[index]) {
      guard count < limit else { break }
      if count > 0 { writer.write(byte: UInt8(ascii: ",")) }
      write(index, to: &writer)
      count += 1
    }
    writer.write(byte: UInt8(ascii: "]"))
  }

  /// What came after an entry, the oldest first, with the number to go on from and how many were let go before anybody asked.
  func write(after number: UInt64, _ limit: Int, _ filter: Filter, to writer: inout JSONWriter) {
    // From before this server's start: what an earlier one still logged isn't known here.
    let seen = max(number, firstNumber - 1)
    let lost = startNumber > seen + 1 ? startNumber - seen - 1 : 0
    var index = seen >= startNumber ? start + Int(min(seen - startNumber + 1, UInt64(entries.count - start))) : start
    var count = 0
    writer.write(raw: #"{"entries":["#)
    while index < entries.count, count < limit {
      if filter.takes(entries[index]) {
        if count > 0 { writer.write(byte: UInt8(ascii: ",")) }
        write(index, to: &writer)
        count += 1
      }
      index += 1
    }
    writer.write(raw: #"],"last":"#)
    writer.write(double: Double(startNumber + UInt64(index - start) - 1))
    writer.write(raw: #","lost":"#)
    writer.write(double: Double(lost))
    writer.write(byte: UInt8(ascii: "}"))
  }

  private func write(_ index: Int, to writer: inout JSONWriter) {
    let number = startNumber + UInt64(index - start)
    switch entries[index] {
    case .line(let line): line.write(to: &writer, number: number)
    case .run(let run): run.write(to: &writer, number: number)
    }
  }
}

extension RunLog.Entry {
  /// About what it takes of memory.
  fileprivate var byteCount: Int {
    switch self {
    case .line(let line): 160 + line.message.utf8.count
    case .run(let run): 240 + (run.error?.message.utf8.count ?? 0)
    }
  }
}

extension FunctionLog.Level {
  fileprivate var rank: Int {
    switch self {
    case .debug: 0
    case .info: 1
    case .warning: 2
    case .error: 3
    }
  }
}
