/// Who must come before whom, as the lists show it.
///
/// - `ww`: the writer of an element, and the writer of the next one in the same list.
/// - `wr`: the writer of a version's last element, and who read that version.
/// - `rw`: who read a version, and the writer of the element that follows it.
///
/// An element that was acknowledged and that no read shows must come after the longest version that was read, since lists
/// only grow; so it follows that version's last writer and all who read it. A lost write is seen by this: its writer, which is to come
/// after the last reader, was answered before that one began.
struct ListDependencies {
  let history: [ListTransaction]
  let writers: [ListAppendChecker.Element: ListAppendChecker.Writer]
  let versions: [Int: [Int]]

  func graph(_ reads: [ListAppendChecker.ExternalRead], _ orders: HistoryOrders) -> DependencyGraph {
    var graph = DependencyGraph(count: history.count)
    let unseen = addVersions(to: &graph)
    for read in reads {
      let order = versions[read.key] ?? []
      // A read that contradicts the order says nothing of its place in it.
      guard order.starts(with: read.elements) else { continue }
      if let last = read.elements.last, let writer = writer(read.key, last) {
        graph.add(writer, read.transaction, .writeRead, key: read.key)
      }
      if read.elements.count < order.count {
        if let next = writer(read.key, order[read.elements.count]) { graph.add(read.transaction, next, .antiDependency, key: read.key) }
      } else {
        for next in unseen[read.key] ?? [] { graph.add(read.transaction, next, .antiDependency, key: read.key) }
      }
    }
    if orders.contains(.session) { addSessions(to: &graph) }
    if orders.contains(.realTime) { addRealTime(to: &graph) }
    return graph
  }

  private func writer(_ key: Int, _ value: Int) -> Int? { writers[.init(key: key, value: value)]?.transaction }

  /// Gives the writers of acknowledged elements that no read shows, by key.
  private func addVersions(to graph: inout DependencyGraph) -> [Int: [Int]] {
    var shown: Set<ListAppendChecker.Element> = []
    for (key, order) in versions {
      var before: Int?
      for value in order {
        shown.insert(.init(key: key, value: value))
        guard let writer = writer(key, value) else { continue }
        if let before { graph.add(before, writer, .writeWrite, key: key) }
        before = writer
      }
    }
    var unseen: [Int: Set<Int>] = [:]
    for (element, writer) in writers where history[writer.transaction].outcome == .committed && !shown.contains(element) {
      unseen[element.key, default: []].insert(writer.transaction)
      if let last = versions[element.key]?.last, let before = self.writer(element.key, last) {
        graph.add(before, writer.transaction, .writeWrite, key: element.key)
      }
    }
    return unseen.mapValues { $0.sorted() }
  }

  private func addSessions(to graph: inout DependencyGraph) {
    var last: [Int: Int] = [:]
    for number in history.indices.sorted(by: { history[$0].invoked < history[$1].invoked }) where history[number].outcome == .committed {
      if let before = last.updateValue(number, forKey: history[number].process) { graph.add(before, number, .session) }
    }
  }

  /// An edge for each pair would be n². Enough are those from transactions that were answered before this one was sent, and that
  /// none of these already follows: at most as many as there are clients.
  private func addRealTime(to graph: inout DependencyGraph) {
    var events: [(time: Int, isEnd: Bool, number: Int)] = []
    for (number, transaction) in history.enumerated() where transaction.outcome == .committed {
      events.append((transaction.invoked, false, number))
      if transaction.completed != .max { events.append((transaction.completed, true, number)) }
    }
    var latest: Set<Int> = []
    var followed: [Int: Set<Int>] = [:]
    for event in events.sorted(by: { ($0.time, $0.isEnd ? 0 : 1) < ($1.time, $1.isEnd ? 0 : 1) }) {
      if event.isEnd {
        latest.subtract(followed.removeValue(forKey: event.number) ?? [])
        latest.insert(event.number)
      } else {
        for before in latest { graph.add(before, event.number, .realTime) }
        followed[event.number] = latest
      }
    }
  }
}
