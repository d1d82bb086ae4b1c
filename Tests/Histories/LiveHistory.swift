/// What a database with live queries is, naively: its state after some mutations, and what each query gives on it.
package protocol LiveModel: Sendable {
  associatedtype Operation: Sendable
  associatedtype Call: Hashable & Sendable

  /// Carries an operation out, and gives what is wrong with the answer that it was given; nil if nothing is.
  ///
  /// The answer tells what a model can't know: a document's id and creation time.
  mutating func apply(_ operation: Operation, answered: String) -> String?
  /// What a subscriber is to be shown of the query now: a value, or why there is none.
  func outcome(of call: Call) -> LiveOutcome
}

/// What a live query shows: its JSON, or its error's.
package enum LiveOutcome: Hashable, Sendable {
  case value(String)
  case failed(String)
}

/// What clients saw: of their mutations, and on each of their connections.
package struct LiveHistory<Model: LiveModel>: Sendable {
  /// An answer to a mutation. One that was sent again has several.
  package struct Answer: Sendable {
    package var client: Int
    /// Its place among the client's mutations. They are sent in this order, also again.
    package var number: Int
    package var operation: Model.Operation
    /// Of its commit; nil if the app refused it.
    package var timestamp: UInt64?
    package var text: String

    package init(client: Int, number: Int, _ operation: Model.Operation, timestamp: UInt64?, _ text: String) {
      self.client = client
      self.number = number
      self.operation = operation
      self.timestamp = timestamp
      self.text = text
    }
  }

  /// What happened on a connection, in its order.
  package enum Event: Sendable {
    /// A subscription was asked for, under an id that is used once.
    case subscribed(String, Model.Call)
    /// It has ended, as the server said.
    case unsubscribed(String)
    /// A value came, patches carried out.
    case told(String, LiveOutcome)
    case synced(UInt64)
    /// A mutation of this connection was answered: a `synced` is owed (promise 4).
    case answered(UInt64)
    /// The client has waited for all that was to come: it must show the state at the end of this history.
    case settled
  }

  package var answers: [Answer] = []
  package var connections: [[Event]] = []

  package init() {}
}

/// What a server of live queries must not do.
package struct LiveAnomaly: CustomStringConvertible, Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable {
    // Of mutations.
    /// One mutation was answered in two ways.
    case answeredTwice = "answered twice"
    /// Two mutations have one timestamp.
    case sameTimestamp = "same timestamp"
    /// A client's mutations ran in another order than they were sent in.
    case disorder
    /// No run at this place of the order gives this answer: it ran twice, say, or saw what was not there.
    case wrongAnswer = "wrong answer"
    // Of live queries.
    /// At a `synced`, a subscription shows what was right before: an update was lost, or two snapshots are mixed.
    case stale
    /// At a `synced`, a subscription shows what never was until then.
    case wrongValue = "wrong value"
    /// A value came that the client had already.
    case repeated
    case wentBack = "went back"
    /// A value came for a subscription that has ended, or never was.
    case stray
    /// A subscription was never told a value.
    case neverTold = "never told"
    /// No `synced` followed a mutation's answer.
    case notSynced = "not synced"
  }

  package let kind: Kind
  /// The connection that saw it, or the client for what concerns mutations.
  package let place: Int
  package let explanation: String

  package var description: String { "\(kind.rawValue): \(explanation)" }
}
