import Glibc

/// Redis as the peer: a server of its own, with every write synced to its log before it is answered (`appendfsync always`), as
/// Martlet's are. No RDB snapshots and no rewriting of the log: both would fork during a run, and would only slow it down.
final class RedisServer: Contender {
  let process: ServerProcess
  private let connection: BlockingConnection

  static let howToInstall = "Redis isn't installed: no redis-server on PATH. On Debian and Ubuntu: apt install redis-server. Or name one with --redis"

  init(executable: String, dataParent: String, cores: Cores?) throws {
    let directory = try Places.makeDataDirectory(in: dataParent, for: "redis")
    let port = try TCP.freePort()
    process = try ServerProcess(
      name: "redis",
      executable: executable,
      arguments: [
        "--port", "\(port)", "--bind", "127.0.0.1", "--dir", directory, "--daemonize", "no",
        "--appendonly", "yes", "--appendfsync", "always", "--save", "", "--auto-aof-rewrite-percentage", "0",
        "--maxclients", "20000",
      ],
      port: port, directory: directory, cores: cores)
    connection = try BlockingConnection(port: port)
  }

  /// Sends one command and returns its reply; throws on an error reply.
  @discardableResult
  func command(_ parts: String...) throws -> String {
    try connection.send(RESP.command(parts))
    return try readReply()
  }

  /// Sends commands together, then reads their replies.
  func commands(_ commands: [[String]]) throws -> [String] {
    try connection.send(commands.flatMap { RESP.command($0) })
    return try commands.map { _ in try readReply() }
  }

  private func readReply() throws -> String {
    let line = String(decoding: try connection.readLine(), as: UTF8.self)
    let text = String(line.dropFirst())
    switch line.first {
    case "+", ":": return text
    case "$":
      guard let count = Int(text), count >= 0 else { return "" }
      return String(decoding: try connection.read(count: count + 2).dropLast(2), as: UTF8.self)
    default: throw BenchmarkError("Redis answered \(line)")
    }
  }
}
