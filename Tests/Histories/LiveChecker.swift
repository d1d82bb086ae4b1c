/// Holds what subscribers saw against a model.
///
/// Every mutation is a commit with a timestamp of its own, and its answer names it. So the model's state at any timestamp is known: all operations
/// up to there, in their order. At each `synced T` of a connection, all of its subscriptions must show what their queries give at T: that leaves no
/// room for a lost update, for two in the wrong order, for a mutation that ran twice or not at all, and for two snapshots mixed.
///
/// A history may be checked in parts, one after another: the model goes on. A part ends when all mutations are answered and all connections have
/// ended or settled, and every connection begins anew.
package struct LiveChecker<Model: LiveModel> {
  package typealias History = LiveHistory<Model>

  package private(set) var model: Model
  /// How many `synced` were looked at, and how many values at them.
  package private(set) var syncedCount = 0
  package private(set) var comparedCount = 0

  /// Of each client: its last mutation, and when it committed.
  private var lastOfClient: [Int: (number: Int, timestamp: UInt64)] = [:]
  private var outcomes: [Model.Call: LiveOutcome] = [:]
  /// By the hash of what a query gave: when it last did.
  private var past: [Model.Call: [Int: UInt64]] = [:]
  private var anomalies: [LiveAnomaly] = []

  package init(_ model: Model) { self.model = model }

  package mutating func check(_ history: History) -> [LiveAnomaly] {
    anomalies = []
    var commits = inOrder(history.answers)[...]
    var readers = history.connections.map { Reader(events: $0) }
    let moments = history.connections.enumerated().flatMap { number, events in
      events.enumerated().compactMap { place, event -> Moment? in
        if case .synced(let timestamp) = event { Moment(timestamp: timestamp, connection: number, place: place) } else { nil }
      }
    }
    for moment in moments.sorted() {
      carryOut(&commits, upTo: moment.timestamp)
      take(upTo: moment.place, of: moment.connection, &readers[moment.connection])
    }
    carryOut(&commits, upTo: .max)
    for number in readers.indices { take(upTo: readers[number].events.count - 1, of: number, &readers[number]) }
    past = [:]
    outcomes = [:]
    return anomalies
  }

  // MARK: Mutations

  /// Each commit once, by its timestamp.
  private mutating func inOrder(_ answers: [History.Answer]) -> [History.Answer] {
    var commits: [History.Answer] = []
    for (client, answers) in Dictionary(grouping: answers, by: \.client).sorted(by: { $0.key < $1.key }) {
      for (number, answers) in Dictionary(grouping: answers, by: \.number).sorted(by: { $0.key < $1.key }) {
        let first = answers[0]
        for other in answers.dropFirst() where other.timestamp != first.timestamp || other.text != first.text {
          note(.answeredTwice, client, "mutation \(number) of client \(client): \(Self.describe(first)), then \(Self.describe(other))")
        }
        guard let timestamp = first.timestamp else { continue }
        if let last = lastOfClient[client], last.timestamp > timestamp {
          note(.disorder, client, "mutation \(number) of client \(client) at \(timestamp), mutation \(last.number) at \(last.timestamp)")
        }
        lastOfClient[client] = (number, timestamp)
        commits.append(first)
      }
    }
    commits.sort { $0.timestamp! < $1.timestamp! }
    for (one, next) in zip(commits, commits.dropFirst()) where one.timestamp == next.timestamp {
      note(.sameTimestamp, one.client, "clients \(one.client) and \(next.client), both at \(one.timestamp!)")
    }
    return commits
  }

  private static func describe(_ answer: History.Answer) -> String {
    "\(answer.timestamp.map { "at \($0)" } ?? "refused") \(answer.text.prefix(200))"
  }

  private mutating func carryOut(_ commits: inout ArraySlice<History.Answer>, upTo timestamp: UInt64) {
    while let next = commits.first, next.timestamp! <= timestamp {
      commits.removeFirst()
      if let problem = model.apply(next.operation, answered: next.text) {
        note(.wrongAnswer, next.client, "at \(next.timestamp!) \(next.operation) was answered \(next.text.prefix(300)): \(problem)")
      }
      outcomes = [:]
    }
  }

  // MARK: Connections

  private struct Moment: Comparable {
    var timestamp: UInt64
    var connection: Int
    var place: Int

    static func < (a: Moment, b: Moment) -> Bool { (a.timestamp, a.connection, a.place) < (b.timestamp, b.connection, b.place) }
  }

  /// A connection, up to where it has been looked at.
  private struct Reader {
    struct Subscription {
      var call: Model.Call
      /// The last that came, and what held at the last `synced`.
      var told: LiveOutcome?
      var shown: LiveOutcome?
    }

    let events: [History.Event]
    var next = 0
    var subscriptions: [String: Subscription] = [:]
    var timestamp: UInt64 = 0
    /// The newest mutation for which no `synced` has come.
    var owed: UInt64?
  }

  private mutating func take(upTo place: Int, of number: Int, _ reader: inout Reader) {
    while reader.next <= place {
      let event = reader.events[reader.next]
      reader.next += 1
      switch event {
      case .subscribed(let id, let call): reader.subscriptions[id] = .init(call: call)
      case .unsubscribed(let id):
        reader.subscriptions[id] = nil
        if reader.subscriptions.isEmpty { reader.owed = nil }
      case .told(let id, let outcome):
        guard let told = reader.subscriptions[id]?.told else {
          if reader.subscriptions[id] == nil { note(.stray, number, "connection \(number) was told \(Self.text(outcome)) of \(id)") }
          reader.subscriptions[id]?.told = outcome
          continue
        }
        if told == outcome {
          note(.repeated, number, "connection \(number), after \(reader.timestamp): \(reader.subscriptions[id]!.call) \(Self.text(outcome))")
        }
        reader.subscriptions[id]!.told = outcome
      case .synced(let timestamp): synced(timestamp, number, &reader)
      case .answered(let timestamp):
        if reader.subscriptions.values.contains(where: { $0.shown != nil }) { reader.owed = max(reader.owed ?? 0, timestamp) }
      case .settled: settled(number, reader)
      }
    }
  }

  private mutating func synced(_ timestamp: UInt64, _ number: Int, _ reader: inout Reader) {
    syncedCount += 1
    if timestamp < reader.timestamp { note(.wentBack, number, "connection \(number): synced \(timestamp) after \(reader.timestamp)") }
    reader.timestamp = max(timestamp, reader.timestamp)
    if let owed = reader.owed, owed <= timestamp { reader.owed = nil }
    for (id, subscription) in reader.subscriptions {
      guard let told = subscription.told else { continue }
      reader.subscriptions[id]!.shown = told
      compare(told, subscription.call, at: timestamp, number)
    }
  }

  private mutating func compare(_ told: LiveOutcome, _ call: Model.Call, at timestamp: UInt64, _ number: Int) {
    comparedCount += 1
    let right = outcome(of: call, at: timestamp)
    guard told != right else { return }
    let before = past[call]?[told.hashValue]
    note(
      before == nil ? .wrongValue : .stale, number,
      "connection \(number) at \(timestamp): \(call) is \(Self.text(right)), shown \(Self.text(told))"
        + (before.map { ", which was right at \($0)" } ?? ""))
  }

  private mutating func outcome(of call: Model.Call, at timestamp: UInt64) -> LiveOutcome {
    if let known = outcomes[call] { return known }
    let outcome = model.outcome(of: call)
    outcomes[call] = outcome
    past[call, default: [:]][outcome.hashValue] = timestamp
    return outcome
  }

  private mutating func settled(_ number: Int, _ reader: Reader) {
    for (id, subscription) in reader.subscriptions {
      guard let shown = subscription.shown else {
        note(.neverTold, number, "connection \(number): \(id), \(subscription.call)")
        continue
      }
      compare(shown, subscription.call, at: .max, number)
    }
    if let owed = reader.owed { note(.notSynced, number, "connection \(number): no synced after the answer at \(owed)") }
  }

  private static func text(_ outcome: LiveOutcome) -> String {
    switch outcome {
    case .value(let json): "\(json.prefix(400))"
    case .failed(let error): "failed \(error.prefix(200))"
    }
  }

  private mutating func note(_ kind: LiveAnomaly.Kind, _ place: Int, _ explanation: String) {
    anomalies.append(LiveAnomaly(kind: kind, place: place, explanation: explanation))
  }
}
