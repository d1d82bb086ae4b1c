import Foundation
import GRDBSQLite
import Martlet
import MartletValues

/// A stretch of the log that was folded in one round, and is kept.
struct KeptRound: Equatable {
  /// The state that the round's images lead back to.
  var first: UInt64
  var last: UInt64
  /// When its last commit was made, in milliseconds since 1970.
  var endedMilliseconds: Double

  init(first: UInt64, last: UInt64, endedMilliseconds: Double) {
    self.first = first
    self.last = last
    self.endedMilliseconds = endedMilliseconds
  }

  init(_ round: FoldRound) {
    self.init(first: round.start, last: round.target, endedMilliseconds: round.endedMilliseconds)
  }

  var checksum: UInt64 { Checksum.of(first, last, endedMilliseconds.bitPattern) }
}

/// How far back the data file leads.
///
/// A log alone leads forward only, from a state before it. To keep such states would cost a copy of all data each. Instead folding keeps, of each document
/// that it writes, what it was before: its *image*. So from the documents as they are, the images of one round after another lead back to that round's
/// start, and from there the log's rows forward again, to any commit:
///
///     start ─────────▶ round ─────────▶ round ─────────▶ documents (folded) ────────▶ head
///           log's rows       log's rows       log's rows                   log's rows
///           ◀──── images ────◀──── images ────◀──── images ────
///
/// It costs commits nothing, folding one more row for each document, and the disk as many bytes as the log's rows plus at most about as many for
/// images: what was written within the window twice, and not a copy of what was never touched.
///
/// What is older than the window goes round by round, the oldest first: its row of `kept_rounds`, and with it the promise; then in slices its
/// images and its rows of the log, which mean nothing from then on.
struct KeptLog {
  /// Each begins where the one before ends, and the last ends at `folded_timestamp`.
  var rounds: [KeptRound] = []
  /// The earliest state that can be led back to.
  var start: UInt64 = 0
  /// Whether there may be images or rows from before `start`.
  var isTrimming = true
}

extension SQLiteStorage {
  /// The earliest timestamp whose state can be told.
  package var keptFrom: UInt64 { kept.start }

  /// Reads which rounds are kept. Where the log isn't kept, none is from now on.
  func openKeptLog() throws {
    kept = KeptLog()
    kept.start = checkpoint.foldedTimestamp
    guard options.keptMilliseconds != nil else { return try forgetKeptLog() }
    try connection.perform { handle in
      let select = try Statement(
        "SELECT first_timestamp, last_timestamp, ended_milliseconds, checksum FROM kept_rounds ORDER BY first_timestamp DESC", on: handle)
      while try select.step() {
        let round = KeptRound(first: select.uint64(0), last: select.uint64(1), endedMilliseconds: select.double(2))
        guard round.checksum == select.uint64(3) else {
          throw StorageError(
            .corrupt,
            "\(path): table kept_rounds, row \(round.first) does not match its checksum; start without a kept log, or restore a snapshot")
        }
        guard round.last == kept.start else { break }
        kept.rounds.insert(round, at: 0)
        kept.start = round.first
      }
    }
    try connection.execute("DELETE FROM kept_rounds WHERE first_timestamp < \(Int64(kept.start))")
  }

  /// From now on nothing leads back beyond what is folded.
  func forgetKeptLog() throws {
    if try connection.integer("SELECT EXISTS (SELECT 1 FROM kept_rounds)") == 1 { try connection.execute("DELETE FROM kept_rounds") }
    kept = KeptLog()
    kept.start = checkpoint.foldedTimestamp
  }

  /// Within the transaction that ends the round.
  func store(_ round: KeptRound, on handle: OpaquePointer) throws {
    let insert = try Statement("INSERT INTO kept_rounds VALUES (?1, ?2, ?3, ?4)", on: handle)
    insert.bind(1, round.first)
    insert.bind(2, round.last)
    insert.bind(3, round.endedMilliseconds)
    insert.bind(4, round.checksum)
    try insert.run()
  }

  // MARK: Images

  func hasImages(of round: UInt64) throws -> Bool {
    try connection.integer("SELECT EXISTS (SELECT 1 FROM kept_images WHERE round = \(Int64(round)))") == 1
  }

  static func checksum(ofImage checksum: UInt64?, of id: DocumentID, round: UInt64) -> UInt64 {
    if let checksum { return Checksum.of(round, checksum) }
    return Checksum.of(round, UInt64(id.tableNumber), id.high, id.low)
  }

  /// Keeps what a document is before a round writes it. A round that a crash interrupted is done again from its start, and then finds some documents
  /// written: the image that is there already is the right one.
  /// - Parameter checksum: the document's; nil if there is none.
  func keepImage(
    of id: DocumentID, _ key: UnsafeRawBufferPointer, _ checksum: UInt64?, in round: FoldRound, _ statements: Statements
  ) throws {
    let keep = checksum == nil ? statements.keepAbsence : statements.keepImage
    keep.bind(1, round.start)
    keep.bind(blob: 2, key)
    keep.bind(3, Self.checksum(ofImage: checksum, of: id, round: round.start))
    try keep.run()
  }

  // MARK: Trimming

  var oldestIsTooOld: Bool {
    guard let window = options.keptMilliseconds, let oldest = kept.rounds.first else { return false }
    return oldest.endedMilliseconds < options.now() - window
  }

  package var millisecondsToNextSlice: Int? {
    guard let window = options.keptMilliseconds, let oldest = kept.rounds.first else { return nil }
    // Not at once when it was the last one's turn, and not beyond what a wait can be.
    return Int(min(max(oldest.endedMilliseconds + window - options.now() + 1, 0), 3_600_000))
  }

  /// Lets go of a round, or deletes a part of what was let go of.
  func trimSlice() throws {
    try setSynchronous(.normal)
    if !kept.isTrimming, let oldest = kept.rounds.first {
      try connection.execute("DELETE FROM kept_rounds WHERE first_timestamp = \(Int64(oldest.first))")
      kept.rounds.removeFirst()
      kept.start = oldest.last
      kept.isTrimming = true
    }
    if try !trimImages(), try !trimRows() { kept.isTrimming = false }
  }

  /// False if there are none left.
  private func trimImages() throws -> Bool {
    try connection.perform { handle in
      let select = try Statement("SELECT round, id, json FROM kept_images WHERE round < ?1 ORDER BY round, id LIMIT ?2", on: handle)
      select.bind(1, kept.start)
      select.bind(2, Int64(4 * options.sliceDocuments))
      var bytes = 0
      var last: (round: UInt64, id: [UInt8])?
      while bytes < options.sliceDeletedBytes, try select.step() {
        last = (select.uint64(0), Array(select.bytes(1)))
        bytes += select.bytes(2).count
      }
      select.reset()
      guard let last else { return false }
      let delete = try Statement("DELETE FROM kept_images WHERE (round, id) <= (?1, ?2)", on: handle)
      delete.bind(1, last.round)
      try last.id.withUnsafeBytes {
        delete.bind(blob: 2, $0)
        try delete.run()
      }
      return true
    }
  }

  private func trimRows() throws -> Bool {
    // Those of a round that was just folded, and isn't kept, are the round's own to delete.
    if let fold, fold.phase == .deleting { return false }
    return try connection.perform { handle in
      let select = try Statement(
        "SELECT last_timestamp, length(payload) FROM commit_log WHERE last_timestamp <= ?1 ORDER BY last_timestamp", on: handle)
      select.bind(1, kept.start)
      var bytes = 0
      var last: UInt64?
      while bytes < options.sliceDeletedBytes, try select.step() {
        last = select.uint64(0)
        bytes += max(Int(select.int64(1)), 4096)
      }
      select.reset()
      guard let last else { return false }
      statements!.deleteLog.bind(1, last)
      try statements!.deleteLog.run()
      return true
    }
  }
}
