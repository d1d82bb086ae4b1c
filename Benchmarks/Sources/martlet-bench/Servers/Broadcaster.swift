/// A server on which one change reaches many: a commit that a live query shows, or a published message.
protocol Broadcaster: Contender {
  /// Lines that make a connection one of those that are told.
  var subscription: [UInt8] { get }
  /// Whether what a connection was sent says that it is subscribed.
  func isSubscribed(_ bytes: UnsafeRawBufferPointer) -> Bool
  /// Makes the next change, without waiting for its answer. Gives the text by which its news are known.
  func change() throws -> [UInt8]
  /// Waits for the answer.
  func finishChange() throws
}

/// A transfer between two accounts, one of which is watched.
final class MartletBroadcaster: Broadcaster {
  let server: MartletServer
  var process: ServerProcess { server.process }
  private let connection: BlockingConnection
  private let ids: [String]
  private var balance = 1_000_000_000

  init(server: MartletServer) throws {
    self.server = server
    let bank = MartletBank(server: server)
    try bank.open(count: 2, balance: balance)
    ids = bank.ids
    connection = try BlockingConnection(port: server.process.port)
  }

  var subscription: [UInt8] { Array("subscribe s accounts:get {\"id\":\"\(ids[0])\"}\n".utf8) }

  func isSubscribed(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.isWhole(holding: Array("synced ".utf8)) }

  func change() throws -> [UInt8] {
    balance -= 1
    try connection.send(Array("mutation t accounts:transferFunds {\"from\":\"\(ids[0])\",\"to\":\"\(ids[1])\",\"amount\":1}\n".utf8))
    return Array("\"balance\":\(balance),".utf8)
  }

  func finishChange() throws {
    let answer = try connection.readLine()
    guard answer.starts(with: Array("ok t ".utf8)) else {
      throw BenchmarkError("Martlet answered \(String(decoding: answer.prefix(500), as: UTF8.self))")
    }
  }
}

/// `PUBLISH` of a text that is as long as Martlet's line.
final class RedisBroadcaster: Broadcaster {
  let server: RedisServer
  var process: ServerProcess { server.process }
  private let connection: BlockingConnection
  private var number = 1_000_000_000
  private let padding: String

  init(server: RedisServer, payloadBytes: Int = 120) throws {
    self.server = server
    padding = String(repeating: "x", count: payloadBytes - 22)
    connection = try BlockingConnection(port: server.process.port)
  }

  var subscription: [UInt8] { RESP.command(["SUBSCRIBE", "news"]) }

  func isSubscribed(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.isWhole(holding: Array(":1\r\n".utf8)) }

  func change() throws -> [UInt8] {
    number -= 1
    try connection.send(RESP.command(["PUBLISH", "news", "\(padding)\"balance\":\(number),"]))
    return Array("\"balance\":\(number),".utf8)
  }

  func finishChange() throws {
    let answer = try connection.readLine()
    guard answer.first == UInt8(ascii: ":") else { throw BenchmarkError("Redis answered \(String(decoding: answer, as: UTF8.self))") }
  }
}
