import Histories
import MartletTesting
import MartletValues
import TestSupport

/// A client with a session, that writes and watches and writes down what it sees. Its connection breaks; it connects again, subscribes to all that it
/// watches, and sends again what wasn't answered, in the same order, with one now and then that was (promise 6).
///
/// It is turned by a loop, and waits for nothing itself.
final class WatchingClient {
  typealias History = LiveHistory<ItemsModel>

  struct Manner {
    var wantsPatches = false
    var watchesBulk = false
    /// Reads nothing for a while, now and then.
    var isSlow = false
    var isDirect = false
  }

  private struct Watched {
    var call: ItemsModel.Call
    var outcome: LiveOutcome?
    var isEnding = false
  }

  let number: Int
  let manner: Manner
  private let patches: PatchedValues
  private var random: TestRandom
  private var connection: RawClient?
  private var stalledTurns = 0

  private var lastMutation = 0
  private var unanswered: [Int] = []
  private var operations: [Int: ItemsModel.Operation] = [:]

  private var calls: [ItemsModel.Call] = []
  private var watched: [String: Watched] = [:]
  private var lastWatched = 0
  private var hasOpenGroup = false
  private var synced: UInt64 = 0
  private var answered: UInt64 = 0

  private var events: [History.Event] = []
  private(set) var history = History()
  private(set) var connections = 0
  private(set) var resent = 0

  private static let mostUnanswered = 4
  private static let mostWatched = 7

  init(number: Int, manner: Manner, seed: UInt64, patches: PatchedValues) {
    self.number = number
    self.manner = manner
    self.patches = patches
    random = TestRandom(seed: seed &* 1_000 &+ UInt64(number))
  }

  var socket: RawClient? { stalledTurns > 0 ? nil : connection }
  var unansweredCount: Int { unanswered.count }

  // MARK: Turns

  /// - Parameters:
  ///   - port: where to connect; nil where there is nobody.
  ///   - workload: nil when there is nothing more to be begun.
  ///   - mayWrite: takes one mutation of those that are left.
  /// - Returns: how many mutations were answered for the first time.
  func turn(port: Int?, workload: ((inout ItemsWorkload) -> Void) -> Void, isCalm: Bool, mayWrite: () -> Bool) throws -> Int {
    guard stalledTurns == 0 || isCalm else {
      stalledTurns -= 1
      return 0
    }
    stalledTurns = 0
    if connection == nil, let port { connect(port, workload) }
    guard let connection else { return 0 }
    connection.takeIn()
    let before = unanswered.count
    while let line = connection.takeLine() { try take(ServerMessage(line)) }
    let answeredCount = before - unanswered.count
    if connection.isAtEnd { return noteLoss(answeredCount) }
    if !isCalm {
      while unanswered.count < Self.mostUnanswered, random.oneIn(2), mayWrite() {
        lastMutation += 1
        workload { operations[lastMutation] = $0.operation() }
        unanswered.append(lastMutation)
        send(mutation: lastMutation)
      }
      if random.oneIn(10) { changeSubscriptions(workload) }
      if manner.isSlow, random.oneIn(40) { stalledTurns = random.number(20..<300) }
    }
    return answeredCount
  }

  private func noteLoss(_ answered: Int) -> Int {
    endConnection()
    return answered
  }

  private func endConnection() {
    connection?.close()
    connection = nil
    history.connections.append(events)
    events = []
    watched = [:]
    hasOpenGroup = false
  }

  private func connect(_ port: Int, _ workload: ((inout ItemsWorkload) -> Void) -> Void) {
    guard let connection = try? RawClient(port: port, receiveBufferBytes: manner.isSlow ? 4_096 : nil) else { return }
    self.connection = connection
    connections += 1
    synced = 0
    answered = 0
    send(#"hello {"patches":\#(manner.wantsPatches),"session":"client \#(number)"}"#)
    while calls.count < Self.mostWatched / 2 { workload { calls.append(newCall(&$0)) } }
    for call in calls { subscribe(call) }
    var again = unanswered
    // An answer that was read already is to come once more as it was.
    if lastMutation > 0, random.oneIn(2) {
      again.append(random.number(max(1, lastMutation - 20)..<lastMutation + 1))
      again = Set(again).sorted()
    }
    for number in again where operations[number] != nil {
      resent += 1
      send(mutation: number)
    }
  }

  private func send(_ line: String) {
    // What is lost with a connection is noticed when it is read from.
    try? connection?.send(line)
  }

  private func send(mutation number: Int) {
    let function = operations[number]!.function
    send("mutation m\(number) \(function.name) \(Value.object(function.arguments).json)")
  }

  // MARK: Subscriptions

  private func newCall(_ workload: inout ItemsWorkload) -> ItemsModel.Call {
    manner.watchesBulk && calls.isEmpty ? .bulky(group: 0) : workload.call()
  }

  private func subscribe(_ call: ItemsModel.Call) {
    lastWatched += 1
    let id = "s\(lastWatched)"
    watched[id] = Watched(call: call)
    events.append(.subscribed(id, call))
    send("subscribe \(id) \(call.function.name) \(Value.object(call.function.arguments).json)")
  }

  private func changeSubscriptions(_ workload: ((inout ItemsWorkload) -> Void) -> Void) {
    guard calls.count == Self.mostWatched || (calls.count > 1 && random.oneIn(2)) else {
      workload { calls.append(newCall(&$0)) }
      return subscribe(calls[calls.count - 1])
    }
    let call = calls.remove(at: random.number((manner.watchesBulk ? 1 : 0)..<calls.count))
    guard let (id, _) = watched.filter({ $0.value.call == call && !$0.value.isEnding }).min(by: { $0.key < $1.key }) else { return }
    watched[id]!.isEnding = true
    send("unsubscribe \(id)")
  }

  // MARK: Lines

  private func take(_ message: ServerMessage) throws {
    switch message.verb {
    case .welcome:
      guard try (message.json["patches"] == true) == manner.wantsPatches else { throw Failure("asked for patches: \(message)") }
    case .ok where message.id.hasPrefix("s"):
      watched[message.id] = nil
      events.append(.unsubscribed(message.id))
    case .ok:
      try noteAnswer(message, message.timestamp)
      events.append(.answered(message.timestamp))
      answered = max(answered, message.timestamp)
    case .error where message.code == "shutting_down":
      // Of a subscription: it never was. A mutation is sent again.
      if watched.removeValue(forKey: message.id) != nil { events.append(.unsubscribed(message.id)) }
    case .error where message.code == "unknown_id" && message.id.hasPrefix("s") && watched[message.id] == nil: break
    case .error where message.code == "application" && message.id.hasPrefix("m"): try noteAnswer(message, nil)
    case .update: tell(message.id, .value(message.rest))
    case .patch:
      guard case .value(let base)? = watched[message.id]?.outcome else { throw Failure("there is nothing to be patched: \(message)") }
      tell(message.id, .value(try patches.value(base, message.rest)))
    case .failed: tell(message.id, .failed(try message.json))
    case .synced:
      synced = message.timestamp
      hasOpenGroup = false
      events.append(.synced(message.timestamp))
    case .closing where message.code == "shutting_down": break
    case .error, .closing, .log, .pong, .comment: throw Failure("client \(number) was not to be told: \(message)")
    }
  }

  private func noteAnswer(_ message: ServerMessage, _ timestamp: UInt64?) throws {
    guard let number = Int(message.id.dropFirst()), let operation = operations[number] else { throw Failure("nobody asked for \(message)") }
    unanswered.removeAll { $0 == number }
    history.answers.append(.init(client: self.number, number: number, operation, timestamp: timestamp, message.rest))
  }

  private func tell(_ id: String, _ outcome: LiveOutcome) {
    watched[id]?.outcome = outcome
    hasOpenGroup = true
    events.append(.told(id, outcome))
  }

  // MARK: The end of a round

  /// Whether all that it shows is what the model has.
  func hasSettled(_ model: ItemsModel) -> Bool {
    connection != nil && unanswered.isEmpty && !hasOpenGroup && (watched.isEmpty || synced >= answered)
      && watched.values.allSatisfy { !$0.isEnding && $0.outcome == model.outcome(of: $0.call) }
  }

  func endRound() {
    events.append(.settled)
    endConnection()
  }

  /// What was seen since it was last taken.
  func takeHistory() -> History {
    defer { history = History() }
    operations = [:]
    return history
  }
}

/// What patches make of values, once for all who are sent the same.
final class PatchedValues {
  private struct Key: Hashable {
    var base: String
    var patch: String
  }

  private var known: [Key: String] = [:]
  private(set) var count = 0

  func value(_ base: String, _ patch: String) throws -> String {
    count += 1
    let key = Key(base: base, patch: patch)
    if let value = known[key] { return value }
    let value = try Value(json: base).patched(by: Value(json: patch)).json
    if known.count > 2_000 { known = [:] }
    known[key] = value
    return value
  }
}
