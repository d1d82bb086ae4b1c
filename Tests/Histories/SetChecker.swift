/// Checks a set to which elements are added: what was acknowledged is in every later read, what was refused in none, and what one read
/// showed doesn't vanish from those after it.
package enum SetChecker {
  package struct Addition: Sendable {
    package var element: Int
    package var outcome: Outcome
    /// When it was answered.
    package var completed: Int

    package init(_ element: Int, _ outcome: Outcome, completed: Int) {
      self.element = element
      self.outcome = outcome
      self.completed = completed
    }
  }

  package struct Read: Sendable {
    package var elements: [Int]
    package var invoked: Int
    package var completed: Int

    package init(_ elements: [Int], invoked: Int, completed: Int) {
      self.elements = elements
      self.invoked = invoked
      self.completed = completed
    }
  }

  /// An anomaly's transactions are the places of the reads; the elements are named in its explanation.
  package static func check(additions: [Addition], reads: [Read]) -> [Anomaly] {
    var anomalies: [Anomaly] = []
    let byElement = Dictionary(uniqueKeysWithValues: additions.map { ($0.element, $0) })
    // From when on each element must be seen.
    var surely = Dictionary(uniqueKeysWithValues: additions.filter { $0.outcome == .committed }.map { ($0.element, $0.completed) })
    let sets = reads.map { Set($0.elements) }
    for (number, read) in reads.enumerated() {
      if sets[number].count < read.elements.count {
        anomalies.append(Anomaly(.duplicateElement, [number], "read \(number) shows an element twice"))
      }
      for element in sets[number].sorted() {
        guard let addition = byElement[element] else {
          anomalies.append(Anomaly(.garbageRead, [number], "read \(number) shows \(element), which nobody added"))
          continue
        }
        if addition.outcome == .aborted {
          anomalies.append(Anomaly(.abortedRead, [number], "read \(number) shows \(element), whose addition was refused"))
        }
        surely[element] = min(surely[element] ?? .max, read.completed)
      }
    }
    let sorted = surely.sorted { $0.key < $1.key }
    for (number, read) in reads.enumerated() {
      for (element, since) in sorted where since < read.invoked && !sets[number].contains(element) {
        anomalies.append(Anomaly(.lostElement, [number], "read \(number) lacks \(element), which was there before it began"))
      }
    }
    return anomalies
  }
}
