import MartletWire
import Synchronization

/// Something that takes its time, and how far it is. Counted where it is done, on another thread; told by `_system:progress`.
final class LongWork: Sendable {
  enum Kind: String, Sendable { case snapshot, verify, restore }

  let kind: Kind
  let name: String
  /// Documents, as far as it is known how many there are.
  let total: Int
  private let documents = Atomic<Int>(0)

  init(_ kind: Kind, _ name: String, total: Int) {
    self.kind = kind
    self.name = name
    self.total = total
  }

  func note(documents count: Int) { documents.store(count, ordering: .relaxed) }

  var value: Value {
    [
      "kind": .string(kind.rawValue), "name": .string(name), "documents": .float64(Double(documents.load(ordering: .relaxed))),
      "of": .float64(Double(total)),
    ]
  }
}

extension Engine {
  /// Does something on another thread, and lets those who watch see how far it is.
  func doLongWork<Answer: Sendable>(
    _ kind: LongWork.Kind, _ name: String, total: Int, _ work: @escaping @Sendable (LongWork) throws -> Answer
  ) async throws -> Answer {
    let longWork = LongWork(kind, name, total: total)
    longWorks.append(longWork)
    defer { longWorks.removeAll { $0 === longWork } }
    return try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Answer, any Error>) in
      let body: @Sendable () -> Void = { continuation.resume(with: Result { try work(longWork) }) }
      switch kind {
      case .snapshot, .verify: host.offloadInBackground(body)
      // Mutations wait for it.
      case .restore: host.offload(body)
      }
    }
  }
}
