import Glibc

/// Martlet's line protocol, as a connection under load sees it: one `ok <id> <ts> <json>` or `error <id> <json>` for each request, in
/// any order. Ids are slots in decimal.
///
/// Any other line (`closing`, an `update` nobody asked for) ends the run with that line as the message: a benchmark that
/// skipped what it doesn't expect would time a server that is failing.
enum MartletLines: WireFormat {
  @inline(__always)
  static func nextReply(in bytes: UnsafeRawBufferPointer) throws -> (reply: Reply, length: Int)? {
    guard let base = bytes.baseAddress, let lineFeed = memchr(base, 10, bytes.count) else { return nil }
    let end = UnsafeRawPointer(lineFeed) - base
    let isError: Bool
    var position: Int
    if end > 3, bytes[0] == UInt8(ascii: "o"), bytes[1] == UInt8(ascii: "k"), bytes[2] == UInt8(ascii: " ") {
      isError = false
      position = 3
    } else if end > 6, memcmp(base, "error ", 6) == 0 {
      isError = true
      position = 6
    } else {
      throw unexpected(bytes[..<end])
    }
    var slot = 0
    let idStart = position
    while position < end, bytes[position] != UInt8(ascii: " ") {
      let digit = bytes[position] &- 48
      // An `error - {…}` answers a line that the server could not read: the generator's fault, so it ends the run.
      guard digit < 10, position - idStart < 9 else { throw unexpected(bytes[..<end]) }
      slot = slot &* 10 &+ Int(digit)
      position += 1
    }
    guard position > idStart, position < end else { throw unexpected(bytes[..<end]) }
    position += 1
    if !isError {
      while position < end, bytes[position] != UInt8(ascii: " ") { position += 1 }
      guard position < end else { throw unexpected(bytes[..<end]) }
      position += 1
    }
    let payload = UnsafeRawBufferPointer(rebasing: bytes[position..<end])
    return (Reply(isError: isError, payload: payload, slot: slot), end + 1)
  }

  @inline(never)
  private static func unexpected(_ line: Slice<UnsafeRawBufferPointer>) -> BenchmarkError {
    BenchmarkError("Martlet sent an unexpected line: \(String(decoding: line.prefix(500), as: UTF8.self))")
  }
}
