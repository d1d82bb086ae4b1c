import Martlet
import MartletValues

/// The last write of each document within one stretch of the log, in the order of ids.
///
/// Folding in the order of ids turns writes all over the documents' tree into one pass through it. To sort a whole round at once would hold
/// commits up for tens of milliseconds; so each slice sorts the stretch that it has read, and writing merges the runs.
///
/// A run owns copies of its rows' payloads, and its entries point into them.
final class FoldRun {
  struct Entry {
    var id: DocumentID
    var creationTime: Double
    /// nil: deleted.
    var json: UnsafeRawBufferPointer?
  }

  private var payloads: [UnsafeMutableRawBufferPointer] = []
  private(set) var entries: [Entry] = []
  /// When the last commit was made that it holds, in milliseconds since 1970.
  private(set) var endedMilliseconds = 0.0
  /// The next entry to be merged.
  var position = 0

  deinit { for payload in payloads { payload.deallocate() } }

  var next: Entry? { position < entries.count ? entries[position] : nil }

  func add(_ row: LogRow, path: String) throws {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: row.payload.count, alignment: 8)
    copy.copyMemory(from: row.payload)
    payloads.append(copy)
    var row = row
    row.payload = UnsafeRawBufferPointer(copy)
    try row.forEachCommit(path: path) { record in
      endedMilliseconds = record.wallClockMilliseconds
      try record.forEachWrite { write in
        entries.append(Entry(id: write.id, creationTime: write.put?.creationTime ?? 0, json: write.put?.json))
      }
    }
  }

  /// Keeps the last write of each document.
  func sort() {
    // Of a document's writes, the one with the highest index is the last.
    var order = Array(entries.indices)
    order.sort { entries[$0].id == entries[$1].id ? $0 > $1 : entries[$0].id < entries[$1].id }
    var sorted: [Entry] = []
    sorted.reserveCapacity(order.count)
    for index in order where sorted.last?.id != entries[index].id {
      sorted.append(entries[index])
    }
    entries = sorted
  }
}

/// One round of folding: what was read of the log, and how far it has come.
///
///     reading ──▶ writing ──▶ deleting ──▶ (done)
///                        └──▶ (done), where the log is kept
///
/// **Why not each row by itself:** the accounts that 60 MB of log have written a thousand times would be written a thousand times to
/// the documents too, each a page of 8 KB. A round folds the last write only.
///
/// **Why a crash within is harmless:** until the round's last transaction sets `folded_timestamp`, the log still holds all of its rows. A
/// recovery that finds `fold_target` reads them again and finishes; putting the same document twice changes nothing.
final class FoldRound {
  enum Phase { case reading, writing, deleting }

  var phase = Phase.reading
  /// Whether what it replaces is kept.
  let isKept: Bool
  let start: UInt64
  var endedMilliseconds = 0.0
  /// In the order of the log: of two runs that have a document, the later one has its last write.
  var runs: [FoldRun] = []
  var target: UInt64
  var byteCount = 0
  /// The log's rows of this round, to be deleted at its end.
  var rows: [(lastTimestamp: UInt64, byteCount: Int)] = []
  var deletedRows = 0
  /// Bytes that were read, written or deleted: a round does at most about three times its log's.
  var work = 0

  init(after timestamp: UInt64, isKept: Bool) {
    start = timestamp
    target = timestamp
    self.isKept = isKept
  }

  /// The least id that is left, and its last write. A linear look at the heads of at most some dozens of runs costs less than 0.2 µs, a twentieth
  /// of what SQLite takes to write the document.
  func next() -> FoldRun.Entry? {
    var least: FoldRun.Entry?
    for run in runs.reversed() {
      guard let entry = run.next else { continue }
      if least == nil || entry.id < least!.id { least = entry }
    }
    guard let least else { return nil }
    for run in runs where run.next?.id == least.id { run.position += 1 }
    return least
  }
}
