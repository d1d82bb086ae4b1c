import FoundationEssentials
import Glibc

/// A server that holds texts under ids, and can be started again on them. On both cores: while it starts, nobody else works.
protocol NoteKeeper: Contender {
  /// Writes notes of a total size of 200 bytes each; has them where the next start reads them.
  func fill(_ count: Int, _ texts: inout SeededGenerator) throws
  /// Starts the stopped server, and returns when it has answered with a note. Seconds.
  func startAndRead() throws -> Double
  func count() throws -> Int
}

/// The size of a document's JSON, system fields included, and so of the peer's value.
private let noteSize = 200
private let notesPerCall = 1_000
private let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789      ".utf8)

private func text(_ count: Int, _ generator: inout SeededGenerator) -> String {
  var random: UInt64 = 0
  let bytes = (0..<count).map { index -> UInt8 in
    if index % 8 == 0 { random = generator.next() }
    defer { random >>= 8 }
    return letters[Int(random & 0xFF) % letters.count]
  }
  return String(decoding: bytes, as: UTF8.self)
}

/// Martlet with its example app `notes`: one table of texts, without an index of its own.
final class MartletNotes: NoteKeeper {
  let process: ServerProcess
  private(set) var first = ""

  init(executable: String, dataParent: String) throws {
    let directory = try Places.makeDataDirectory(in: dataParent, for: "martlet")
    let port = try TCP.freePort()
    process = try ServerProcess(
      name: "martlet", executable: executable,
      arguments: [
        "serve", "--example", "notes", "--data", directory + "/data", "--snapshots", directory + "/snapshots", "--port", "\(port)", "--durability", "full",
      ],
      port: port, directory: directory, cores: nil)
  }

  private struct Note: Decodable { var _id: String, text: String }
  private struct Statistics: Decodable { var documents: Double }

  private func ask<Value: Decodable>(_ connection: BlockingConnection, _ request: String, as type: Value.Type) throws -> Value {
    try connection.send(Array((request + "\n").utf8))
    let line = try connection.readLine()
    let parts = line.split(separator: 32, maxSplits: 3)
    guard parts.count == 4, parts[0].elementsEqual("ok".utf8) else {
      throw BenchmarkError("Martlet answered \(String(decoding: line.prefix(500), as: UTF8.self))")
    }
    return try JSONDecoder().decode(type, from: Data(parts[3]))
  }

  func fill(_ count: Int, _ texts: inout SeededGenerator) throws {
    let connection = try BlockingConnection(port: process.port)
    // The digits of a creation time vary by one or two.
    let length = noteSize - #"{"_creationTime":1795305375314.978,"_id":"j57bxz4k9kpz903k8z0dc94hz7fb0sar","text":""}"#.utf8.count
    for start in stride(from: 0, to: count, by: notesPerCall) {
      let list = (start..<min(count, start + notesPerCall)).map { _ in "\"" + text(length, &texts) + "\"" }.joined(separator: ",")
      let ids = try ask(connection, "mutation 1 notes:addMany {\"texts\":[\(list)]}", as: [String].self)
      if start == 0 { first = ids[0] }
    }
    try waitForQuiet()
  }

  /// Until the log is folded into the documents: nothing was committed for a while.
  func waitForQuiet() throws {
    for _ in 0..<120 {
      let before = ProcessorTime.of(process: process.id)
      usleep(700_000)
      try Interruption.check()
      if ProcessorTime.of(process: process.id) - before < 2_000_000 { return }
    }
  }

  func startAndRead() throws -> Double {
    let begin = Clock.nowNanoseconds()
    try process.start()
    let connection = try BlockingConnection(port: process.port)
    let note = try ask(connection, #"query 1 notes:get {"id":"\#(first)"}"#, as: Note.self)
    let seconds = Double(Clock.nowNanoseconds() - begin) / 1e9
    guard note._id == first else { throw BenchmarkError("Martlet answered with another note") }
    return seconds
  }

  func count() throws -> Int {
    Int(try ask(BlockingConnection(port: process.port), "query 1 _system:stats {}", as: Statistics.self).documents)
  }
}

/// Redis with values of the same size under keys as long as Martlet's ids, saved to its RDB file.
final class RedisNotes: NoteKeeper {
  let process: ServerProcess

  init(executable: String, dataParent: String) throws {
    let directory = try Places.makeDataDirectory(in: dataParent, for: "redis")
    let port = try TCP.freePort()
    process = try ServerProcess(
      name: "redis", executable: executable,
      arguments: ["--port", "\(port)", "--bind", "127.0.0.1", "--dir", directory, "--daemonize", "no", "--appendonly", "no", "--save", ""],
      port: port, directory: directory, cores: nil)
  }

  private static func key(_ index: Int) -> String {
    let digits = String(index)
    return "doc:" + String(repeating: "0", count: 32 - digits.count) + digits
  }

  func fill(_ count: Int, _ texts: inout SeededGenerator) throws {
    let connection = try BlockingConnection(port: process.port)
    for start in stride(from: 0, to: count, by: notesPerCall) {
      let range = start..<min(count, start + notesPerCall)
      try connection.send(range.flatMap { RESP.command(["SET", Self.key($0), text(noteSize, &texts)]) })
      for _ in range {
        guard try connection.readLine() == Array("+OK".utf8) else { throw BenchmarkError("Redis refused a value") }
      }
    }
    try connection.send(RESP.command(["SAVE"]))
    guard try connection.readLine() == Array("+OK".utf8) else { throw BenchmarkError("Redis couldn't save its RDB file") }
  }

  func startAndRead() throws -> Double {
    let begin = Clock.nowNanoseconds()
    try process.start()
    let connection = try BlockingConnection(port: process.port)
    while true {
      try connection.send(RESP.command(["PING"]))
      if try connection.readLine() == Array("+PONG".utf8) { break }
      // It answers that it is loading.
      usleep(1_000)
    }
    try connection.send(RESP.command(["GET", Self.key(0)]))
    guard try connection.readLine() == Array("$\(noteSize)".utf8) else { throw BenchmarkError("Redis has lost a value") }
    return Double(Clock.nowNanoseconds() - begin) / 1e9
  }

  func count() throws -> Int {
    let connection = try BlockingConnection(port: process.port)
    try connection.send(RESP.command(["DBSIZE"]))
    return Int(String(decoding: try connection.readLine().dropFirst(), as: UTF8.self)) ?? 0
  }
}
