import MartletValues
import MartletWire

/// The client's lines, encoded. Those of requests are made by the caller's task, so that the event loop only copies them.
enum ClientLines {
  static func hello(_ hello: Hello) -> [UInt8] { encode { $0.writeHelloLine(hello) } }

  static func call(_ verb: ClientVerb, _ id: UInt64, _ function: String, _ arguments: [UInt8]) -> [UInt8] {
    encode(capacity: arguments.count + function.utf8.count + 48) {
      $0.writeCallLine(verb, id: String(id), function: function, arguments: arguments)
    }
  }

  static func unsubscribe(_ id: UInt64) -> [UInt8] { encode { $0.writeUnsubscribeLine(id: String(id)) } }
  static func cancel(_ id: UInt64) -> [UInt8] { encode { $0.writeCancelLine(id: String(id)) } }
  static func ping(_ id: UInt64) -> [UInt8] { encode { $0.writePingLine(String(id)) } }
  static func auth(_ id: UInt64, _ token: String?) -> [UInt8] { encode { $0.writeAuthLine(id: String(id), token: token) } }
  static let bye: [UInt8] = Array("bye\n".utf8)

  private static func encode(capacity: Int = 64, _ write: (inout JSONWriter) -> Void) -> [UInt8] {
    var writer = JSONWriter(capacity: capacity)
    write(&writer)
    return writer.bytes
  }
}

extension FunctionKind {
  var verb: ClientVerb {
    switch self {
    case .query: .query
    case .mutation: .mutation
    case .action: .action
    }
  }
}
