/// Connections that watch one list of accounts, and one that changes accounts; each commit is followed until all have been told.
final class ListWatchers {
  enum Change: String, CaseIterable {
    case oneRow = "one row"
    case twoRowsMove = "two rows move"
  }

  private let server: MartletServer
  private let ids: [String]
  private let patches: Bool
  private let watching: [BlockingConnection]
  private let writing: BlockingConnection
  /// What each was told since its last whole value, and that.
  private var values: [[UInt8]]
  private var changes: [[[UInt8]]]

  private var arguments: String { #"{"limit":\#(ids.count)}"# }

  init(server: MartletServer, ids: [String], subscribers: Int, patches: Bool) throws {
    self.server = server
    self.ids = ids
    self.patches = patches
    watching = try (0..<subscribers).map { _ in try BlockingConnection(port: server.process.port) }
    writing = try BlockingConnection(port: server.process.port)
    values = Array(repeating: [], count: subscribers)
    changes = Array(repeating: [], count: subscribers)
    for connection in watching {
      if patches { try connection.send(Array("hello {\"patches\":true}\n".utf8)) }
      try connection.send(Array("subscribe s accounts:richest \(arguments)\n".utf8))
    }
    for index in watching.indices {
      if patches, !(try watching[index].readLine()).starts(with: Array("welcome ".utf8)) { throw BenchmarkError("Martlet didn't welcome") }
      _ = try read(index, upTo: 0)
    }
  }

  /// The latency is from the request to the last subscriber's `synced`.
  func follow(_ change: Change, commits: Int, round: Int) throws -> (result: LoadResult, bytes: Int) {
    var result = LoadResult()
    var bytes = 0
    let window = MeasuredWindow(startNanoseconds: Clock.nowNanoseconds(), serverProcess: server.process.id)
    for index in 0..<commits {
      let request = request(change, index, round)
      let issuedAt = Clock.nowNanoseconds()
      try writing.send(Array("mutation m \(request)\n".utf8))
      let answer = String(decoding: try writing.readLine(), as: UTF8.self).split(separator: " ")
      guard answer.count == 4, answer[0] == "ok", let timestamp = UInt64(answer[2]) else { throw BenchmarkError("Martlet answered \(answer)") }
      for subscriber in watching.indices { bytes += try read(subscriber, upTo: timestamp) }
      result.latencies.record(Clock.nowNanoseconds() - issuedAt)
      result.succeeded += 1
    }
    window.close(into: &result, at: Clock.nowNanoseconds())
    result.requests = UInt64(commits)
    return (result, bytes)
  }

  /// Another account each time, all over the list.
  private func request(_ change: Change, _ index: Int, _ round: Int) -> String {
    let account = ids[index * 37 % ids.count]
    switch change {
    case .oneRow: return #"_system:patch {"id":"\#(account)","fields":{"owner":"owner \#(round) \#(index) \#(patches)"}}"#
    case .twoRowsMove:
      return #"accounts:transferFunds {"from":"\#(account)","to":"\#(ids[(index * 37 + 1) % ids.count])","amount":\#(index % 5 + 1)}"#
    }
  }

  /// Reads one subscriber's lines up to a `synced` of this timestamp or a later one, and answers how many bytes they were.
  private func read(_ subscriber: Int, upTo timestamp: UInt64) throws -> Int {
    var bytes = 0
    while true {
      let line = try watching[subscriber].readLine()
      bytes += line.count + 1
      if line.starts(with: Array("update s ".utf8)) {
        values[subscriber] = Array(line.dropFirst("update s ".utf8.count))
        changes[subscriber] = []
      } else if line.starts(with: Array("patch s ".utf8)) {
        changes[subscriber].append(Array(line.dropFirst("patch s ".utf8.count)))
      } else if line.starts(with: Array("synced ".utf8)) {
        if UInt64(String(decoding: line.dropFirst("synced ".utf8.count), as: UTF8.self)) ?? 0 >= timestamp { return bytes }
      } else {
        throw BenchmarkError("Martlet sent \(String(decoding: line.prefix(500), as: UTF8.self))")
      }
    }
  }

  /// All must have been told the same, and one of them must show what the query answers.
  func check(_ report: inout Report) throws {
    for subscriber in watching.indices where values[subscriber] != values[0] || changes[subscriber] != changes[0] {
      report.failures.append("subscriber \(subscriber) was told other values than the first")
    }
    let kind = patches ? "patches" : "whole values"
    if patches == changes[0].isEmpty { report.failures.append("who asked for \(kind) was sent \(changes[0].count) patches") }
    var shown = try server.decode(JSONTree.self, from: values[0])
    for change in changes[0] { try shown.apply(server.decode(JSONTree.self, from: change)) }
    let answer = try server.decode(JSONTree.self, from: server.raw([("query", "accounts:richest", arguments)])[0])
    if shown != answer { report.failures.append("with \(kind), the list isn't what the query answers") }
  }
}
