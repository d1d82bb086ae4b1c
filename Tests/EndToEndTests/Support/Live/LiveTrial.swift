import Foundation
import Histories
import TestServers
import TestSupport
import Testing

/// A server, a bad network and clients that write and watch, in rounds: in each the server is killed or stopped at a moment that is drawn, and started
/// again on the same data. A round ends when all mutations are answered and everyone shows the end of it, with nothing more done for that; then all
/// that was seen is held against the model.
final class LiveTrial {
  private let folder: TemporaryFolder
  private var server: ServerProcess?
  private let proxy: FaultyProxy
  private let clients: [WatchingClient]
  private let patches = PatchedValues()
  private var workload: ItemsWorkload
  private var random: TestRandom
  private(set) var checker = LiveChecker(ItemsModel())

  private(set) var kills = 0
  private(set) var stops = 0
  private(set) var commits = 0

  enum Ending { case kill, stop }

  init(seed: UInt64) throws {
    folder = try TemporaryFolder()
    let server = try ServerProcess(folder, app: "HistoryApp")
    self.server = server
    proxy = try FaultyProxy(seed: seed)
    proxy.lead(to: server.port)
    workload = ItemsWorkload(seed: seed)
    random = TestRandom(seed: seed &+ 77)
    let patches = patches
    clients = (0..<12).map { number in
      WatchingClient(
        number: number,
        manner: .init(
          wantsPatches: number % 2 == 0, watchesBulk: number == 1 || number == 3, isSlow: number % 4 == 3, isDirect: number < 3),
        seed: seed, patches: patches)
    }
    try server.connect().mutate("lists:prepare")
  }

  deinit { try? proxy.stop() }

  // MARK: A round

  func round(mutations: Int, _ ending: Ending) throws -> [LiveAnomaly] {
    try learnPlaces()
    proxy.set(.init(bytesUntilCut: 60_000))
    var left = mutations
    var answered = 0
    let end = random.number(mutations / 5..<mutations * 4 / 5)
    let deadline = Deadline(seconds: 60)
    while left > 0 || server == nil || !hasEnded || isStopping || clients.contains(where: { $0.unansweredCount > 0 }) {
      answered += try turn(isCalm: false) {
        guard left > 0 else { return false }
        left -= 1
        return true
      }
      if answered >= end, !hasEnded { try self.end(ending) }
      try goOnEnding()
      guard deadline.remainingMilliseconds > 0 else {
        let open = clients.reduce(0) { $0 + $1.unansweredCount }
        throw Failure("\(left) mutations were not sent and \(open) not answered in time; of the server: \(server?.lastWords ?? "none")")
      }
    }
    hasEnded = false
    try settle()
    var history = LiveHistory<ItemsModel>()
    for client in clients {
      let seen = client.takeHistory()
      history.answers += seen.answers
      history.connections += seen.connections
    }
    commits += Set(history.answers.compactMap(\.timestamp)).count
    return checker.check(history)
  }

  private func turn(isCalm: Bool, mayWrite: () -> Bool) throws -> Int {
    var answered = 0
    for client in clients {
      let port = client.manner.isDirect ? (isStopping ? nil : server?.port) : proxy.port
      answered += try client.turn(port: port, workload: { $0(&workload) }, isCalm: isCalm, mayWrite: mayWrite)
    }
    RawClient.waitBriefly(for: clients.compactMap(\.socket))
    return answered
  }

  /// Until everyone shows what the model has after all mutations, though nothing more is written.
  private func settle() throws {
    proxy.set(nil)
    var model = checker.model
    let answers = clients.flatMap { client in client.history.answers.map { ($0, client) } }
    var seen: Set<UInt64> = []
    for (answer, _) in answers.sorted(by: { ($0.0.timestamp ?? 0) < ($1.0.timestamp ?? 0) }) {
      guard let timestamp = answer.timestamp, seen.insert(timestamp).inserted else { continue }
      _ = model.apply(answer.operation, answered: answer.text)
    }
    let deadline = Deadline(seconds: 20)
    while !clients.allSatisfy({ $0.hasSettled(model) }), deadline.remainingMilliseconds > 0 { _ = try turn(isCalm: true) { false } }
    for client in clients { client.endRound() }
    workload.ids = model.items.map(\.id)
  }

  /// Where pages end, for those who will watch them.
  private func learnPlaces() throws {
    guard let server else { return }
    let client = try server.connect()
    for count in stride(from: 3, to: ItemsWorkload.keys, by: 7) {
      let page = try client.query("live:wholePage", ["page": ["numItems": .float64(Double(count))]])
      guard page["isDone"] == false, let last = page["page"]?.elements.last, let cursor = page["continueCursor"]?.text,
        let key = last["key"]?.number, let time = last["_creationTime"]?.number
      else { continue }
      workload.places.append(.init(key: Int(key), creationTime: time, cursor: cursor))
    }
  }

  // MARK: The server's end

  private var hasEnded = false
  private var isStopping = false
  private var turnsWithoutServer = 0

  private func end(_ ending: Ending) throws {
    hasEnded = true
    // Whoever connects to a port that nobody listens on may be given that same port as its own, and so be connected to itself.
    proxy.lead(to: nil)
    switch ending {
    case .kill:
      kills += 1
      server!.sendKill()
      server!.kill()
      noteEnd()
    case .stop:
      stops += 1
      isStopping = true
      server!.sendTerminate()
    }
  }

  private func noteEnd() {
    server = nil
    turnsWithoutServer = random.number(0..<20)
  }

  private func goOnEnding() throws {
    if isStopping, server!.isOver {
      let status = try server!.waitForExit()
      #expect(status == 0, "\(server!.standardError.suffix(2_000))")
      isStopping = false
      noteEnd()
    }
    guard server == nil else { return }
    turnsWithoutServer -= 1
    guard turnsWithoutServer < 0 else { return }
    server = try ServerProcess(folder, app: "HistoryApp")
    proxy.lead(to: server!.port)
  }

  var summary: String {
    let connections = clients.reduce(0) { $0 + $1.connections }
    let resent = clients.reduce(0) { $0 + $1.resent }
    return """
      \(commits) commits, \(kills) kills and \(stops) stops of the server, \(proxy.cuts) connections cut, \(connections) made, \(resent) mutations sent \
      again, \(patches.count) patches; \(checker.syncedCount) synced and \(checker.comparedCount) values at them held against the model
      """
  }

  var cuts: Int { proxy.cuts }
  var patchCount: Int { patches.count }
}
