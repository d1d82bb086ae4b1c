import Glibc

/// How long commits stand still: one client that commits one after another, and one with 64 in flight, both all the time.
///
/// A pause is the time between two acknowledged commits, of either client: with 65 in flight it is some 0.1 ms as long as the server commits. A latency includes the pauses
/// that a commit waited through.
struct CommitPauses {
  struct Result {
    var commits = 0
    var longestPauseMilliseconds = 0.0
    var longestLatencyMilliseconds = 0.0
  }

  private static let inFlight = 64
  private static let request = Array(#" notes:add {"text":"a note that was made while a snapshot was written"}"#.utf8) + [10]
  private let alone: BlockingConnection
  private let many: BlockingConnection
  private let other: BlockingConnection

  init(port: UInt16) throws {
    alone = try BlockingConnection(port: port)
    many = try BlockingConnection(port: port)
    other = try BlockingConnection(port: port)
  }

  /// Commits until `line` is answered, or for some seconds where there is none. Gives the answer as well.
  func run(while line: String?, seconds: Double) throws -> (result: Result, answer: String) {
    var result = Result()
    var answer = ""
    var issued = [UInt64](repeating: 0, count: Self.inFlight + 1)
    let begin = Clock.nowNanoseconds()
    let end = begin + UInt64(seconds * 1e9)
    var isEnding = false
    var open = 0
    func commit(_ slot: Int, _ now: UInt64) throws {
      issued[slot] = now
      open += 1
      try (slot == 0 ? alone : many).send(Array("mutation \(slot)".utf8) + Self.request)
    }
    if let line { try other.send(Array((line + "\n").utf8)) }
    for slot in 0...Self.inFlight { try commit(slot, begin) }
    var last = begin
    var sockets = [alone, many, other].map { pollfd(fd: $0.socket, events: Int16(POLLIN), revents: 0) }
    while open > 0 {
      guard poll(&sockets, 3, 10_000) > 0 else { throw BenchmarkError("the server has committed nothing for 10 s") }
      if sockets[2].revents != 0 {
        try other.fill()
        if let reply = other.bufferedLine() {
          answer = String(decoding: reply, as: UTF8.self)
          guard answer.hasPrefix("ok ") else { throw BenchmarkError("Martlet answered \(answer)") }
          isEnding = true
        }
      }
      for (index, connection) in [alone, many].enumerated() where sockets[index].revents != 0 {
        try connection.fill()
        let now = Clock.nowNanoseconds()
        while let reply = connection.bufferedLine() {
          let words = reply.split(separator: 32, maxSplits: 2)
          guard words.count == 3, words[0].elementsEqual("ok".utf8), let slot = Int(String(decoding: words[1], as: UTF8.self)) else {
            throw BenchmarkError("Martlet answered \(String(decoding: reply.prefix(500), as: UTF8.self))")
          }
          open -= 1
          result.commits += 1
          result.longestLatencyMilliseconds = max(result.longestLatencyMilliseconds, Double(now - issued[slot]) / 1e6)
          result.longestPauseMilliseconds = max(result.longestPauseMilliseconds, Double(now - last) / 1e6)
          last = now
          if line == nil, now >= end { isEnding = true }
          if !isEnding { try commit(slot, now) }
        }
      }
    }
    return (result, answer)
  }
}
