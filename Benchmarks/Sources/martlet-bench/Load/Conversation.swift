/// How a reply is counted.
enum Outcome {
  case succeeded
  /// The application said no, as it should have: "Insufficient funds".
  case refused
  /// Anything else. One of them fails the benchmark.
  case failed
}

/// What a workload says to one server: the bytes of its next request, and what it thinks of a reply.
///
/// A generic parameter of `LoadGenerator`, not an existential, so that both calls are inlined into its loop. One conversation is
/// shared by all connections of a run.
protocol Conversation {
  associatedtype Format: WireFormat

  mutating func appendRequest(slot: Int, to output: inout OutputBuffer)
  func judge(_ reply: Reply) -> Outcome
}

/// Request parts built before the run (keys, ids, whole requests), end to end in one allocation.
final class RequestParts {
  // Sound: allocated and filled in `init`, never written afterwards, freed once in `deinit`.
  private let bytes: UnsafeMutableRawBufferPointer
  private let ends: [Int]

  init(_ parts: [[UInt8]]) {
    bytes = .allocate(byteCount: max(1, parts.reduce(0) { $0 + $1.count }), alignment: 16)
    var ends = [0]
    ends.reserveCapacity(parts.count + 1)
    for part in parts {
      let start = ends[ends.count - 1]
      UnsafeMutableRawBufferPointer(rebasing: bytes[start..<(start + part.count)]).copyBytes(from: part)
      ends.append(start + part.count)
    }
    self.ends = ends
  }

  deinit { bytes.deallocate() }

  var count: Int { ends.count - 1 }

  /// Valid as long as this object lives.
  @inline(__always)
  subscript(index: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[ends[index]..<ends[index + 1]])
  }
}
