/// Checks that a history of transactions over lists is serializable, in the manner of Elle (Kingsbury and Alvaro, 2020).
///
/// **The problem.** Whether *some* serial order explains a history is NP-complete in general, and trying orders is hopeless
/// for thousands of transactions.
///
/// **The way taken.** Lists that are only appended to carry their own past. If a read shows `[1, 4, 2]`, then the writers of
/// 1, 4 and 2 wrote in this order; who wrote 2 came before the reader; who wrote what follows 2 in a longer read came after
/// it. So the dependencies between transactions can be read off the values (`ListDependencies`), and the history is
/// serializable only if they form no cycle (`DependencyGraph`). What a single read shows to be wrong (an aborted writer's element, two
/// reads that contradict each other, …) is found on the way.
///
/// A history without an anomaly is no proof; it is as much evidence as its reads are long and its transactions concurrent.
/// Costs: O(operations + elements read + dependencies), so ten thousand transactions are checked in about a second.
package struct ListAppendChecker {
  private let history: [ListTransaction]
  private var writers: [Element: Writer] = [:]
  private var anomalies: [Anomaly] = []

  struct Element: Hashable {
    var key: Int
    var value: Int
  }

  struct Writer {
    var transaction: Int
    /// Whether the same transaction appends more to the same key afterwards.
    var isFinal: Bool
  }

  /// What a transaction found in a key when it first looked: the version that other transactions had left.
  struct ExternalRead {
    var transaction: Int
    var key: Int
    /// Without what the transaction itself had appended before.
    var elements: ArraySlice<Int>
    /// With it.
    var shown: [Int]
  }

  /// - Parameter orders: what is asked for beside serializability.
  package static func check(_ history: [ListTransaction], orders: HistoryOrders = [.session, .realTime]) -> [Anomaly] {
    var checker = ListAppendChecker(history)
    return checker.run(orders)
  }

  private init(_ history: [ListTransaction]) {
    self.history = history
    for (number, transaction) in history.enumerated() {
      var last: [Int: Element] = [:]
      for case .append(let key, let value) in transaction.operations {
        let element = Element(key: key, value: value)
        let earlier = writers.updateValue(Writer(transaction: number, isFinal: true), forKey: element)
        precondition(earlier == nil, "\(value) is appended to key \(key) twice: the history can't be checked")
        if let before = last.updateValue(element, forKey: key) { writers[before]?.isFinal = false }
      }
    }
  }

  private mutating func run(_ orders: HistoryOrders) -> [Anomaly] {
    var reads: [ExternalRead] = []
    for (number, transaction) in history.enumerated() where transaction.outcome == .committed {
      reads += externalReads(of: number, transaction)
    }
    for read in reads { checkAlone(read) }
    let versions = versionOrders(reads)
    checkLostUpdates(reads)
    let graph = ListDependencies(history: history, writers: writers, versions: versions).graph(reads, orders)
    return anomalies + graph.anomalies(orders)
  }

  private mutating func report(_ kind: Anomaly.Kind, _ transactions: [Int], _ explanation: String) {
    anomalies.append(Anomaly(kind, transactions, explanation))
  }

  // MARK: One transaction

  /// Compares each read with what the transaction itself knows already, and gives those that tell of others.
  private mutating func externalReads(of number: Int, _ transaction: ListTransaction) -> [ExternalRead] {
    var reads: [ExternalRead] = []
    var known: [Int: [Int]] = [:]
    var appended: [Int: [Int]] = [:]
    for operation in transaction.operations {
      switch operation {
      case .append(let key, let value):
        known[key]?.append(value)
        appended[key, default: []].append(value)
      case .read(let key, let shown):
        let own = appended[key] ?? []
        if let expected = known[key] {
          if shown != expected { report(.internalRead, [number], "T\(number) knows key \(key) as \(expected), and reads \(shown)") }
        } else if !shown.suffix(own.count).elementsEqual(own) {
          report(.internalRead, [number], "T\(number) appended \(own) to key \(key), and reads \(shown)")
        } else {
          known[key] = shown
          reads.append(ExternalRead(transaction: number, key: key, elements: shown.dropLast(own.count), shown: shown))
        }
      }
    }
    return reads
  }

  private mutating func checkAlone(_ read: ExternalRead) {
    let (number, key) = (read.transaction, read.key)
    var seen: Set<Int> = []
    for value in read.shown {
      if !seen.insert(value).inserted { report(.duplicateElement, [number], "T\(number) reads \(value) twice in key \(key)") }
      guard let writer = writers[Element(key: key, value: value)] else {
        report(.garbageRead, [number], "T\(number) reads \(value) in key \(key), which nobody appended")
        continue
      }
      if history[writer.transaction].outcome == .aborted {
        report(
          .abortedRead, [writer.transaction, number],
          "T\(number) reads \(value) in key \(key), of T\(writer.transaction), which was aborted")
      }
    }
    if let last = read.elements.last, let writer = writers[Element(key: key, value: last)], !writer.isFinal, writer.transaction != number {
      report(
        .intermediateRead, [writer.transaction, number],
        "T\(number) reads key \(key) up to \(last), in the middle of T\(writer.transaction)")
    }
  }

  // MARK: Several

  /// Each key's elements in the order in which they were appended, as its longest read shows them.
  private mutating func versionOrders(_ reads: [ExternalRead]) -> [Int: [Int]] {
    var longest: [Int: ExternalRead] = [:]
    for read in reads where read.shown.count > longest[read.key]?.shown.count ?? -1 { longest[read.key] = read }
    var contradicted: Set<Int> = []
    for read in reads {
      guard let order = longest[read.key], !order.shown.starts(with: read.shown), contradicted.insert(read.key).inserted else { continue }
      report(
        .incompatibleOrder, [read.transaction, order.transaction],
        "key \(read.key) is \(Self.tail(read.shown, order.shown)) to T\(read.transaction), and "
          + "\(Self.tail(order.shown, read.shown)) to T\(order.transaction)")
    }
    return longest.mapValues(\.shown)
  }

  /// Three elements from where a list differs from another: the part that matters, of lists that may be long.
  private static func tail(_ list: [Int], _ other: [Int]) -> String {
    let common = zip(list, other).prefix { $0 == $1 }.count
    let shown = list[common...].prefix(3).map { "\($0)" } + (list.count > common + 3 ? ["…"] : [])
    return "[\(common > 0 ? "… " : "")\(shown.joined(separator: ", "))] after \(common) elements"
  }

  /// Two transactions that found the same version, and both appended to it: the one did not see the other.
  private mutating func checkLostUpdates(_ reads: [ExternalRead]) {
    var updates: [[Int]: [Int]] = [:]
    for read in reads where read.elements.count == read.shown.count {
      let isUpdate = history[read.transaction].operations.contains { if case .append(read.key, _) = $0 { true } else { false } }
      // The length tells the version; that versions of one length agree is checked elsewhere.
      if isUpdate { updates[[read.key, read.shown.count], default: []].append(read.transaction) }
    }
    for (version, transactions) in updates.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) where transactions.count > 1 {
      report(
        .lostUpdate, transactions,
        "\(transactions.map { "T\($0)" }.joined(separator: " and ")) all read key \(version[0]) with \(version[1]) elements, and append to it"
      )
    }
  }
}
