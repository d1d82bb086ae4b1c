import MartletWire
import Synchronization

/// How much may still be written before the memory's limit, for transactions on any thread to look at.
///
/// Looked at by each write that grows, so it is one atomic number; the engine alone moves it. Without a limit it never moves.
final class MemoryRoom: Sendable {
  let limit: Int
  private let bytes: Atomic<Int>

  /// - Parameter limit: nil for none.
  init(limit: Int?) {
    self.limit = limit ?? .max
    bytes = Atomic(.max)
  }

  var isLimited: Bool { limit < .max }

  @inline(__always)
  func holds(_ growth: Int) -> Bool { growth <= bytes.load(ordering: .relaxed) }

  /// Below 0 where more is used than may be.
  var left: Int { bytes.load(ordering: .relaxed) }

  func set(_ left: Int) { bytes.store(left, ordering: .relaxed) }

  /// - Parameter doing: what there is no room for.
  func refusal(of doing: String) -> WireError {
    let used = limit - left
    return WireError(
      .limitExceeded,
      "\(doing) would make the server use more memory than it may (memory, \(limit) bytes, of which \(used) are used): "
        + "delete documents, or start the server with a greater --max-memory; deleting, making documents smaller and reading go on",
      data: Limits.errorData(.memory, limit, reached: used))
  }

  /// What a document takes beside its JSON, about: its header, its places in `by_id` and `by_creation_time`, the allocator's rounding. And an entry of a declared index.
  static let documentBytes = 128
  static let entryBytes = 64
}

extension Transaction {
  /// Refuses a write that takes more memory than there is room for. Writes that make documents smaller are welcome, and what the server notes about its own work goes
  /// on: without the end of a job there would be no end of jobs, and none that deletes.
  @inline(__always)
  func requireRoom(for new: DocumentStorage, replacing old: DocumentStorage?) throws {
    let growth = new.jsonCount - (old?.jsonCount ?? -MemoryRoom.documentBytes)
    if growth > 0, !memory.holds(bytesWritten + growth), !writesAsServer { throw outOfMemory() }
  }

  /// The same for what a function has the server keep: a job, a piece of work.
  func requireRoom(forArguments bytes: Int) throws {
    if !memory.holds(bytesWritten + bytes + MemoryRoom.documentBytes) { throw outOfMemory() }
  }

  private func outOfMemory() -> Abort { fail(memory.refusal(of: functionName)) }
}

extension WireError {
  /// Whether this is what a write was refused with that memory had no room for.
  var isOutOfMemory: Bool {
    guard code == .limitExceeded, case .object(let data)? = data, case .string(let limit)? = data["limit"] else { return false }
    return limit == LimitName.memory.rawValue
  }
}
