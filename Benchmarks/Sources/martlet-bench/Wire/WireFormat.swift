/// One reply, seen in the receive buffer: the bytes are valid only until the next read on its connection.
struct Reply {
  var isError: Bool
  /// The value, or the error's text, without framing.
  var payload: UnsafeRawBufferPointer
  /// Which of the connection's requests it answers; nil where replies come in the order of requests.
  var slot: Int?
}

/// What the load generator must know of a protocol: where a reply ends, and which request it belongs to.
///
/// Requests of a connection have *slots*, 0 ..< in flight. A slot is free again once it is answered, and the next request goes out in
/// it at once. A protocol that answers in order never names a slot: the oldest one is meant. The Martlet protocol may
/// answer out of order, and names the slot in the request's id.
protocol WireFormat {
  /// The first reply in `bytes` and the number of bytes that it takes, or nil when it is not complete yet.
  static func nextReply(in bytes: UnsafeRawBufferPointer) throws -> (reply: Reply, length: Int)?
}

extension UnsafeRawBufferPointer {
  /// Whether the text stands anywhere in these bytes. For errors only: it is not meant to be fast.
  func contains(_ text: String) -> Bool {
    let wanted = Array(text.utf8)
    guard wanted.count <= count else { return false }
    return (0...(count - wanted.count)).contains { start in self[start..<(start + wanted.count)].elementsEqual(wanted) }
  }
}
