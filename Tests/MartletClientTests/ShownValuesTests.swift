import MartletValues
import MartletWire
import TestSupport
import Testing

@testable import MartletClient

/// The client's state machine against a model of a server, over connections that break at any moment.
///
/// Each of the server's lists is a query. A mutation adds its own id to some of the lists, and so does its optimistic update. So a value tells
/// which mutations it contains, in which order, and whether one is in it twice. What a subscription shows must be, after every single event,
///
///     the server's list as of the timestamp that is shown ++ the mutations that are expected and not in it, in the order in which they were made
///
/// which leaves no moment for an older value to come back in, and the lists of a group must be of one timestamp.
@Suite("What a client shows, whatever happens")
struct ShownValuesTests {
  @Test("It is always the server's value with the expected mutations on top", arguments: UInt64(0)..<400)
  func model(seed: UInt64) {
    var simulation = Simulation(seed: seed)
    for _ in 0..<250 where !simulation.hasFailed { simulation.step() }
    guard !simulation.hasFailed else { return }
    simulation.settle()
  }

  // MARK: The server

  private struct Server {
    static let listCount = 4

    /// Each list as of each timestamp.
    var history: [[[UInt64]]] = [Array(repeating: [], count: listCount)]
    var answers: [UInt64: String] = [:]
    /// Mutations that were under way when their connection broke, and may run yet.
    var strays: [UInt64] = []
    // Of the connection.
    var incoming: [String] = []
    var outgoing: [String] = []
    var subscriptions: [UInt64: (list: Int, told: [UInt64]?)] = [:]
    var owesSynced = false

    var timestamp: Int { history.count - 1 }

    mutating func commit(_ id: UInt64, to lists: [Int]) {
      var state = history.last!
      for list in lists { state[list].append(id) }
      history.append(state)
    }

    mutating func run(_ id: UInt64, _ mutation: Mutation) -> String {
      if let answer = answers[id] { return answer }
      if mutation.fails {
        answers[id] = #"error \#(id) {"code":"application","message":"no"}"#
      } else {
        commit(id, to: mutation.lists)
        answers[id] = "ok \(id) \(timestamp) null"
      }
      return answers[id]!
    }

    mutating func takeLine(_ mutations: [UInt64: Mutation]) {
      guard !incoming.isEmpty else { return }
      let words = incoming.removeFirst().split(separator: " ", maxSplits: 3).map(String.init)
      guard words.count > 1, let id = UInt64(words[1]) else {
        if words[0] == "hello" { outgoing.append(FakeServer.welcome) }
        return
      }
      switch words[0] {
      case "subscribe": subscriptions[id] = (Int(words[2].dropFirst(2))!, nil)
      case "unsubscribe":
        subscriptions[id] = nil
        outgoing.append("ok \(id) \(timestamp) null")
      case "mutation":
        outgoing.append(run(id, mutations[id]!))
        owesSynced = true
      default: break
      }
    }

    mutating func publish() {
      let lists = history.last!
      var hasNews = owesSynced && !subscriptions.isEmpty
      for (id, subscription) in subscriptions.sorted(by: { $0.key < $1.key }) where subscription.told != lists[subscription.list] {
        subscriptions[id]!.told = lists[subscription.list]
        outgoing.append("update \(id) \(Simulation.json(lists[subscription.list]))")
        hasNews = true
      }
      guard hasNews else { return }
      owesSynced = false
      outgoing.append("synced \(timestamp)")
    }

    mutating func endConnection() {
      strays += incoming.filter { $0.hasPrefix("mutation ") }.compactMap { UInt64($0.split(separator: " ")[1]) }
      incoming = []
      outgoing = []
      subscriptions = [:]
      owesSynced = false
    }
  }

  private struct Mutation {
    var lists: [Int]
    var fails: Bool
  }

  private struct View {
    var lists: [Int]
    var shown: Delivery?
  }

  // MARK: The simulation

  private struct Simulation: ~Copyable {
    typealias Machine = ClientStateMachine<UInt64, UInt64>

    var random: TestRandom
    var server = Server()
    var machine = Machine(session: "mine", token: nil, maximumRequestsInFlight: 100)
    var mutations: [UInt64: Mutation] = [:]
    /// Those that the client may still expect, in their order.
    var pending: [UInt64] = []
    var views: [UInt64: View] = [:]
    var lastID: UInt64 = 0
    var isConnected = false
    /// The first failure says it all.
    var hasFailed = false

    init(seed: UInt64) {
      random = TestRandom(seed: seed)
      handle(.start(0))
      handle(.connected)
      // The first connection isn't tried again.
      server.takeLine([:])
      receive()
    }

    static func json(_ list: [UInt64]) -> String { "[\(list.map(String.init).joined(separator: ","))]" }

    static func expected(server: [UInt64], pending: [UInt64]) -> [UInt64] { server + pending.filter { !server.contains($0) } }

    mutating func handle(_ event: sending Machine.Event) {
      var actions: [Machine.Action] = []
      machine.handle(event, &actions)
      for action in actions {
        switch action {
        case .send(let bytes):
          server.incoming += String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        case .answer(let id, .failure): pending.removeAll { $0 == id }
        case .answer: break
        case .deliver(let view, let delivery):
          #expect(views[view] != nil, "a view that has ended is shown nothing")
          views[view]?.shown = delivery
        case .finish(let view, let error): Issue.record("\(view) ended: \(String(describing: error))")
        case .connect: isConnected = true
        case .abandonConnection: isConnected = false
        case .scheduleReconnect, .scheduleCloseDue, .scheduleOfflineDue, .renewToken: break
        }
      }
      check()
    }

    /// Groups may show less while a new connection has told only some of their queries.
    mutating func check() {
      for (id, view) in views {
        guard let shown = view.shown, !hasFailed else { continue }
        #expect(shown.results.count == view.lists.count)
        let isBetween = view.lists.count > 1
        for (list, result) in zip(view.lists, shown.results) {
          guard case .success(let json) = result else {
            Issue.record("no query fails here")
            continue
          }
          let pending = pending.filter { mutations[$0]!.lists.contains(list) }
          let expected = Self.expected(server: server.history[Int(shown.timestamp)][list], pending: pending)
          let text = String(decoding: json, as: UTF8.self)
          if isBetween {
            // What is pending may not be shown yet; nothing else may differ.
            let value = (try? JSON.list(text)) ?? []
            hasFailed = !value.starts(with: server.history[Int(shown.timestamp)][list]) || Set(value).count != value.count
          } else {
            hasFailed = text != Self.json(expected)
          }
          #expect(!hasFailed, "view \(id) shows \(text) of list \(list) at \(shown.timestamp), expected \(expected)")
        }
      }
    }

    mutating func step() {
      switch random.number(0..<20) {
      case 0, 1: subscribe()
      case 2:
        if let id = views.keys.sorted().randomElement(using: &random) {
          views[id] = nil
          handle(.unsubscribe(id: id))
        }
      case 3, 4, 5: mutate()
      case 6, 7, 8, 9: server.takeLine(mutations)
      case 10, 11: server.publish()
      case 12, 13, 14, 15: receive()
      case 16: server.commit(1_000_000 + UInt64(server.timestamp), to: [random.number(0..<Server.listCount)])
      case 17:
        if !server.strays.isEmpty {
          let id = server.strays.remove(at: random.number(0..<server.strays.count))
          _ = server.run(id, mutations[id]!)
        }
      case 18: if random.oneIn(3) { breakConnection() }
      default: if !isConnected { reconnect() }
      }
    }

    mutating func subscribe() {
      let lists = (0..<random.number(1..<4)).map { _ in random.number(0..<Server.listCount) }
      let first = lastID + 1
      lastID += UInt64(lists.count)
      views[first] = View(lists: lists)
      let queries = zip(first..., lists).map { id, list in
        SubscribedQuery(
          key: QueryKey(function: "m:\(list)", arguments: Array("{}".utf8)), line: Array("subscribe \(id) m:\(list) {}\n".utf8))
      }
      handle(.subscribe(id: first, queries, first))
    }

    mutating func mutate() {
      lastID += 1
      let id = lastID
      let lists = Array(Set((0..<2).map { _ in random.number(0..<Server.listCount) })).sorted()
      mutations[id] = Mutation(lists: lists, fails: random.oneIn(4))
      pending.append(id)
      handle(
        .request(id: id, .call(.mutation, line: Array("mutation \(id) m:add {}\n".utf8)), id) { local in
          for list in lists {
            local.update("m:\(list)") { value in
              guard case .array(let elements) = value else { return }
              value = .array(elements + [.float64(Double(id))])
            }
          }
        })
    }

    mutating func receive() {
      guard isConnected, !server.outgoing.isEmpty else { return }
      let line = Array(server.outgoing.removeFirst().utf8)
      guard case .message(let message) = line.withUnsafeBytes({ ServerMessage.read($0) }) else { return }
      handle(.received(message))
    }

    mutating func breakConnection() {
      guard isConnected else { return }
      isConnected = false
      server.endConnection()
      handle(.connectionEnded(reason: "r"))
    }

    mutating func reconnect() {
      handle(.reconnectDue)
      handle(.connected)
    }

    /// In the end everything is answered and told, and nothing is expected any more.
    mutating func settle() {
      if !isConnected { reconnect() }
      for _ in 0..<3 {
        while !server.incoming.isEmpty { server.takeLine(mutations) }
        server.publish()
        while !server.outgoing.isEmpty { receive() }
      }
      for (id, view) in views {
        #expect(view.shown?.isOptimistic == false, "view \(id)")
        let values = view.lists.map { Result<[UInt8], MartletError>.success(Array(Self.json(server.history.last![$0]).utf8)) }
        #expect(view.shown?.results == values, "view \(id)")
      }
    }
  }

  private enum JSON {
    static func list(_ text: String) throws -> [UInt64] {
      guard case .array(let elements) = try Value(json: text) else { return [] }
      return elements.compactMap { if case .float64(let number) = $0 { UInt64(number) } else { nil } }
    }
  }
}
