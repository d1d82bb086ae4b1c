/// What a database must not show, and the transactions that show it.
package struct Anomaly: CustomStringConvertible, Hashable {
  package enum Kind: String, Hashable {
    // Cycles of dependencies, by Adya's names.
    /// Of writes alone: two transactions overwrote each other in different orders.
    case writeCycle = "G0"
    /// Of writes and reads: information flowed in a circle.
    case circularInformation = "G1c"
    /// With a single anti-dependency: a transaction missed a write, and saw something that came after it.
    case singleAntiDependency = "G-single"
    /// With several: write skew, say.
    case antiDependencyCycle = "G2"
    // What one read shows.
    case abortedRead = "G1a"
    case intermediateRead = "G1b"
    /// A transaction does not see its own writes, or reads two things at two times.
    case internalRead = "internal"
    case garbageRead = "garbage read"
    case duplicateElement = "duplicate element"
    case incompatibleOrder = "incompatible order"
    case lostUpdate = "lost update"
    /// An acknowledged element that a later read lacks.
    case lostElement = "lost element"
    // The bank's.
    case wrongTotal = "wrong total"
    case negativeBalance = "negative balance"
  }

  package let kind: Kind
  /// By their place in the history; the first comes once, also where they form a cycle.
  package let transactions: [Int]
  /// Which orders a cycle needs beside the data's own dependencies.
  package let orders: HistoryOrders
  package let explanation: String

  package init(_ kind: Kind, _ transactions: [Int], orders: HistoryOrders = [], _ explanation: String) {
    self.kind = kind
    self.transactions = transactions
    self.orders = orders
    self.explanation = explanation
  }

  /// `G-single-realtime: T3 –wr on key 2→ T7 –rw on key 1→ T3`.
  package var description: String {
    let suffix = orders.contains(.realTime) ? "-realtime" : orders.contains(.session) ? "-session" : ""
    return "\(kind.rawValue)\(suffix): \(explanation)"
  }
}

/// Orders that a history must keep beside being serializable.
package struct HistoryOrders: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  /// A client's transactions, one after another.
  package static let session = HistoryOrders(rawValue: 1)
  /// What was answered before another was sent comes before it: with this, serializable is *strictly* serializable.
  package static let realTime = HistoryOrders(rawValue: 2)
}

/// How a transaction ended, as its client knows it.
package enum Outcome: Sendable {
  case committed, aborted
  /// No answer came: it may have happened, or may yet happen.
  case unknown
}
