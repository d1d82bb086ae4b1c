import MartletValues
import MartletWire

/// A server's line as the client keeps it: the parts copied out of the read buffer, ids back to the numbers they are.
///
/// Every id of this client is a decimal number, so an id that isn't one is not this client's.
enum ServerMessage: Hashable, Sendable {
  case welcome(Welcome)
  case ok(id: UInt64, timestamp: UInt64, json: [UInt8])
  /// Without an id, the server couldn't read one from the line that it answers.
  case error(id: UInt64?, WireError)
  case update(id: UInt64, json: [UInt8])
  case patch(id: UInt64, json: [UInt8])
  case failed(id: UInt64, WireError)
  case synced(timestamp: UInt64)
  case pong(id: UInt64)
  /// The token that the connection was signed in with has ended.
  case expired
  case closing(WireError)

  enum Reading: Hashable, Sendable {
    case message(ServerMessage)
    case ignored
    case malformed
  }

  static func read(_ bytes: UnsafeRawBufferPointer) -> Reading {
    switch ServerLine.parse(bytes) {
    case .ignored: return .ignored
    case .malformed: return .malformed
    case .line(let line): return (try? read(line, bytes)) ?? .malformed
    }
  }

  private static func read(_ line: ServerLine, _ bytes: UnsafeRawBufferPointer) throws -> Reading {
    let json = bytes.bytes(in: line.rest)
    switch line.kind {
    case .welcome: return .message(.welcome(try Welcome(json: json)))
    case .closing: return .message(.closing(try WireError(json: json)))
    case .synced: return .message(.synced(timestamp: line.timestamp))
    case .expired: return .message(.expired)
    case .log: return .ignored
    case .pong:
      guard let id = number(json) else { return .ignored }
      return .message(.pong(id: id))
    case .error where line.id.isEmpty: return .message(.error(id: nil, try WireError(json: json)))
    case .ok, .error, .update, .patch, .failed: break
    }

    guard let id = number(bytes.bytes(in: line.id)) else { return .ignored }
    switch line.kind {
    case .ok: return .message(.ok(id: id, timestamp: line.timestamp, json: Array(json)))
    case .error: return .message(.error(id: id, try WireError(json: json)))
    case .update: return .message(.update(id: id, json: Array(json)))
    case .patch: return .message(.patch(id: id, json: Array(json)))
    case .failed: return .message(.failed(id: id, try WireError(json: json)))
    case .welcome, .expired, .closing, .synced, .log, .pong: return .ignored
    }
  }

  private static func number(_ word: UnsafeRawBufferPointer) -> UInt64? {
    // 19 digits always fit.
    guard (1...19).contains(word.count) else { return nil }
    var value: UInt64 = 0
    for byte in word {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      value = value * 10 + UInt64(byte - UInt8(ascii: "0"))
    }
    return value
  }
}

/// The value of a request that was answered.
struct Answer: Hashable, Sendable {
  var timestamp: UInt64
  var json: [UInt8]
}
