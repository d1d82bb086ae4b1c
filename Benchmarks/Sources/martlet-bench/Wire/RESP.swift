import Glibc

/// Redis's protocol, version 2, as far as the workloads need it: every reply of theirs is a status, an error, an integer or a bulk
/// string. Arrays don't occur under load, and are refused rather than parsed wrongly.
enum RESP: WireFormat {
  @inline(__always)
  static func nextReply(in bytes: UnsafeRawBufferPointer) throws -> (reply: Reply, length: Int)? {
    guard let base = bytes.baseAddress, bytes.count >= 4 else { return nil }
    guard let lineFeed = memchr(base, 10, bytes.count) else { return nil }
    let lineEnd = UnsafeRawPointer(lineFeed) - base
    guard lineEnd >= 2 else { throw BenchmarkError("Redis sent a line without a type") }
    let line = UnsafeRawBufferPointer(rebasing: bytes[1..<(lineEnd - 1)])
    switch bytes[0] {
    case UInt8(ascii: "+"), UInt8(ascii: ":"):
      return (Reply(isError: false, payload: line, slot: nil), lineEnd + 1)
    case UInt8(ascii: "-"):
      return (Reply(isError: true, payload: line, slot: nil), lineEnd + 1)
    case UInt8(ascii: "$"):
      guard let length = decimal(line) else {
        // `$-1`: there is no such key.
        return (Reply(isError: false, payload: UnsafeRawBufferPointer(rebasing: bytes[0..<0]), slot: nil), lineEnd + 1)
      }
      let valueStart = lineEnd + 1
      guard bytes.count >= valueStart + length + 2 else { return nil }
      let value = UnsafeRawBufferPointer(rebasing: bytes[valueStart..<(valueStart + length)])
      return (Reply(isError: false, payload: value, slot: nil), valueStart + length + 2)
    default:
      throw BenchmarkError("Redis sent a reply of an unexpected type: \(String(decoding: line, as: UTF8.self))")
    }
  }

  /// A command as an array of bulk strings.
  static func command(_ parts: [String]) -> [UInt8] {
    var bytes = Array("*\(parts.count)\r\n".utf8)
    for part in parts { bytes += bulk(part) }
    return bytes
  }

  static func bulk(_ text: String) -> [UInt8] { Array("$\(text.utf8.count)\r\n\(text)\r\n".utf8) }

  @inline(__always)
  private static func decimal(_ digits: UnsafeRawBufferPointer) -> Int? {
    var value = 0
    for byte in digits {
      guard byte >= 48, byte <= 57 else { return nil }
      value = value &* 10 &+ Int(byte &- 48)
    }
    return value
  }
}
