/// One line of a server, taken apart where it lies: the client's counterpart of `ClientLine`.
package struct ServerLine: Hashable, Sendable {
  package enum Kind: UInt8, Sendable, CaseIterable {
    case welcome, ok, error, update, patch, failed, synced, log, pong, expired, closing
  }

  package var kind: Kind
  /// Empty for a kind that has none, and where the server wrote `-`.
  package var id: Range<Int>
  /// Of `ok` and `synced`, else 0.
  package var timestamp: UInt64
  /// The JSON, or the text of `pong`.
  package var rest: Range<Int>

  package enum Reading: Hashable, Sendable {
    case line(ServerLine)
    /// An empty line, a comment (`help` is answered by them), or a kind that a newer server may have.
    case ignored
    /// A known kind without what it must have: the peer doesn't speak this protocol.
    case malformed
  }

  package static func parse(_ line: UnsafeRawBufferPointer) -> Reading {
    var words = WordCursor(line)
    switch words.nextByte {
    case nil, UInt8(ascii: "#"): return .ignored
    default: break
    }
    guard let kind = Kind(line.bytes(in: words.word())) else { return .ignored }
    var result = ServerLine(kind: kind, id: words.position..<words.position, timestamp: 0, rest: 0..<0)
    switch kind {
    case .ok, .error, .update, .patch, .failed, .log:
      guard let id = words.id() else { return .malformed }
      // "-" is made of id bytes, and stands for "no id" in errors only.
      if kind != .error || !line.bytes(in: id).isEqual(to: "-") { result.id = id }
    case .welcome, .synced, .pong, .expired, .closing: break
    }
    if kind == .ok || kind == .synced {
      guard let timestamp = words.timestamp() else { return .malformed }
      result.timestamp = timestamp
    }
    result.rest = words.rest
    if kind.hasJSON, result.rest.isEmpty { return .malformed }
    return .line(result)
  }
}

extension ServerLine.Kind {
  fileprivate init?(_ word: UnsafeRawBufferPointer) {
    switch word.count {
    case 2 where word.isEqual(to: "ok"): self = .ok
    case 6 where word.isEqual(to: "update"): self = .update
    case 6 where word.isEqual(to: "synced"): self = .synced
    case 5 where word.isEqual(to: "error"): self = .error
    case 5 where word.isEqual(to: "patch"): self = .patch
    case 6 where word.isEqual(to: "failed"): self = .failed
    case 3 where word.isEqual(to: "log"): self = .log
    case 4 where word.isEqual(to: "pong"): self = .pong
    case 7 where word.isEqual(to: "welcome"): self = .welcome
    case 7 where word.isEqual(to: "closing"): self = .closing
    case 7 where word.isEqual(to: "expired"): self = .expired
    default: return nil
    }
  }

  fileprivate var hasJSON: Bool {
    switch self {
    case .welcome, .ok, .error, .update, .patch, .failed, .log, .expired, .closing: true
    case .synced, .pong: false
    }
  }
}
