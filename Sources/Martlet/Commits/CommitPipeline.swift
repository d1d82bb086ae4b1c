/// Group commit, as a state machine: which batch is open, and whether one is being written.
///
///     commit ──▶ open batch ──seal──▶ writing ──durable──▶ (gone)
///
/// While one batch is written the next one fills; when the disk is done the next can be sealed, and `BatchPacing` says when. With one
/// caller that is a batch for each commit, with a thousand a batch for each sync.
struct CommitPipeline {
  /// Numbers count from 1, so that 0 can say "no batch".
  typealias BatchNumber = UInt64

  private(set) var openNumber: BatchNumber = 1
  private(set) var openCommits = 0
  private(set) var writing: BatchNumber?

  /// The batch that the head depends on; 0 when everything is durable.
  var gate: BatchNumber { openCommits > 0 ? openNumber : writing ?? 0 }

  /// Whether the open batch can be handed to the log now.
  var canSeal: Bool { writing == nil && openCommits > 0 }

  mutating func noteCommit() { openCommits += 1 }

  mutating func seal() -> BatchNumber {
    precondition(canSeal)
    let number = openNumber
    writing = number
    openNumber += 1
    openCommits = 0
    return number
  }

  mutating func noteDurable() -> BatchNumber {
    guard let number = writing else { preconditionFailure("a batch is durable that was never written") }
    writing = nil
    return number
  }

  /// The disk failed: neither the batch that was being written nor the open one will ever be durable.
  mutating func abandon() {
    writing = nil
    openCommits = 0
  }
}
