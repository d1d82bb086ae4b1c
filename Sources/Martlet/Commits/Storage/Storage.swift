import MartletValues

/// What the engine needs from a disk.
///
/// **Calls** come from one thread at a time: the starting thread calls `recover` once, then the log's thread all the rest.
///
/// **Promises** (G1, G2 and G8 rest on them):
/// 1. After a crash at any moment, `recover` hands over a prefix of the batches that were appended, each whole, in order.
/// 2. That prefix holds every batch for which `append(_:sync: true)` returned, and every batch before a `sync()` that returned.
/// 3. Nothing corrupt is handed over as if it were right: a recovery that finds some throws `StorageError.corrupt`, and names what.
/// 4. After a write or sync that failed, nothing is accepted any more. To try a failed sync again is to lie: the kernel drops the pages
///    it couldn't write, and the second try succeeds without them. Only a new process, which reads what is really there, may go on.
///
/// **The loop** of a log's thread, with every wait that disturbs commits put after their release:
///
///     append(batch, sync: durability == .full)  →  release its waiters  →  if checkpointIsDue, checkpointSlice()  →  next batch
///
/// and once nothing has come for a while, slices until `checkpointSlice()` returns false or a batch comes.
package protocol Storage: AnyObject, Sendable {
  /// Reads everything: first the documents as of the last checkpoint, then each commit of the log's tail, in order.
  /// Throws a `StorageError` that names what is corrupt. What was handed over before a throw is worthless: the caller drops it.
  func recover(into sink: inout some RecoverySink) throws

  /// Appends the commits of one batch as one row; returns when they are on disk (`sync` true) or handed to the operating system (`sync` false).
  /// Batches must come in the order of their timestamps, without overlap; anything else is a programmer's error and stops the process.
  /// Costs a sync (0.15–0.4 ms on a local SSD) and the writing of the bytes.
  func append(_ batch: LogBatch, sync: Bool) throws

  /// Makes durable everything that was appended with `sync` false. Does nothing when nothing waits for it.
  func sync() throws

  /// Whether a call of `checkpointSlice()` would do something worthwhile now. Cheap: asked after each append.
  var checkpointIsDue: Bool { get }

  /// Folds a bounded part (a few milliseconds) of the log into the documents. Returns true while there is more to fold.
  /// Called between appends, so that commits are never held up for long. May be called when nothing is due: then it folds what there is.
  func checkpointSlice() throws -> Bool

  /// Bytes of log that are not folded yet: what a restart would have to replay.
  var unfoldedLogBytes: Int { get }

  /// When a slice would be worthwhile though nothing is appended, in milliseconds from now; nil where only appending makes one so.
  var millisecondsToNextSlice: Int? { get }

  // MARK: Looking back

  /// A page of the log as far as it reaches back, newest commit first. Reads a bounded part, some milliseconds long, which may hold no commit that was
  /// asked for: the next page goes on from there.
  func log(_ request: LogRequest) throws -> LogPage

  /// What every document that was written since a moment was at that moment. Reads all of the log since, in one go.
  /// Throws `StorageError.unavailable` where the log doesn't reach back so far, and says how far it does.
  func rewind(to point: RestorePoint) throws -> Rewind

  /// Lets go of the data. Later calls throw `StorageError.closed`; a second `close` does nothing.
  func close() throws
}

extension Storage {
  package var millisecondsToNextSlice: Int? { nil }

  package func log(_ request: LogRequest) throws -> LogPage { throw StorageError(.unavailable, "this storage can't be asked for its log") }

  package func rewind(to point: RestorePoint) throws -> Rewind {
    throw StorageError(.unavailable, "this storage does not lead back to earlier states")
  }
}
