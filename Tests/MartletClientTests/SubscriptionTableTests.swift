import MartletValues
import MartletWire
import Testing

@testable import MartletClient

/// What is shown of what a server tells, case by case. `ShownValuesTests` does the same for any course of events.
@Suite("What a client's subscriptions show")
struct SubscriptionTableTests {
  // MARK: Groups

  @Test("A group shows the values of one synced, when all of its queries have one, and again when any changes")
  func group() {
    let table = Table(connected: true)
    table.add(1, ["a", "b"])
    table.stage(1, "1")
    #expect(table.synced(5) == [])
    table.stage(2, "2")
    #expect(table.synced(6) == [.init(view: 1, values: "1,2", timestamp: 6)])
    #expect(table.synced(7) == [])
    table.stage(2, "3")
    #expect(table.synced(8) == [.init(view: 1, values: "1,3", timestamp: 8)])
    table.stage(2, "4")
    table.stage(1, "5")
    table.stage(2, "6")
    #expect(table.synced(9) == [.init(view: 1, values: "5,6", timestamp: 9)], "once, and the newest")
  }

  @Test("A query of a group that fails has its failure beside the others' values")
  func failure() {
    let table = Table(connected: true)
    table.add(1, ["a", "b"])
    table.stage(1, "1")
    table.fail(2)
    #expect(table.synced(5) == [.init(view: 1, values: "1,failed", timestamp: 5)])
    table.stage(2, "2")
    #expect(table.synced(6) == [.init(view: 1, values: "1,2", timestamp: 6)])
  }

  @Test("After a connection that broke, a group shows nothing before all of its queries are told anew; other subscriptions don't wait for it")
  func reconnection() {
    let table = Table(connected: true)
    table.add(1, ["a", "b"])
    table.add(3, ["a"])
    for id: UInt64 in 1...3 { table.stage(id, "1") }
    #expect(table.synced(5).count == 2)
    table.reconnect()
    table.stage(2, "2")
    table.stage(3, "2")
    #expect(table.synced(6) == [.init(view: 3, values: "2", timestamp: 6)])
    table.reconnect()
    table.stage(1, "3")
    #expect(table.synced(7) == [])
    table.stage(2, "4")
    #expect(table.synced(8) == [.init(view: 1, values: "3,4", timestamp: 8)])
  }

  @Test("A query whose patch doesn't fit holds its group back until it has its value, and no longer")
  func misfit() {
    let table = Table(connected: true)
    table.add(1, ["a", "b"])
    table.stage(1, "[1]")
    table.stage(2, "1")
    #expect(table.synced(5).count == 1)
    #expect(!table.patch(1, #"[["set",[7],0]]"#))
    table.stage(2, "2")
    #expect(table.synced(6) == [])
    table.stage(1, "[2]")
    #expect(table.synced(7) == [.init(view: 1, values: "[2],2", timestamp: 7)])
  }

  @Test("A value that came before a patch that doesn't fit isn't shown as of that synced")
  func misfitAfterValue() {
    let table = Table(connected: true)
    table.add(1, ["a"])
    table.stage(1, "[1]")
    #expect(!table.patch(1, #"[["set",[7],0]]"#))
    #expect(table.synced(5) == [])
  }

  // MARK: Optimistic updates

  @Test("An update is shown at once in all subscriptions to its query, and taken back when its mutation fails")
  func rollback() {
    let table = Table.showing("a", "1", "b", "7")
    table.add(3, ["a", "b"])
    table.stage(3, "1")
    table.stage(4, "7")
    _ = table.synced(6)
    #expect(
      table.expect(10, adding: 5, to: "a") == [
        .init(view: 1, values: "6", timestamp: 6, isOptimistic: true), .init(view: 3, values: "6,7", timestamp: 6, isOptimistic: true),
      ])
    #expect(table.giveUp(10) == [.init(view: 1, values: "1", timestamp: 6), .init(view: 3, values: "1,7", timestamp: 6)])
    #expect(table.giveUp(10) == [])
  }

  @Test("An update stays until a synced of its commit or later, and the older value is never shown in between")
  func noFlicker() {
    let table = Table.showing("a", "1", "b", "7")
    #expect(table.expect(10, adding: 5, to: "a").count == 1)
    #expect(table.confirm(10, 9) == [])
    #expect(table.synced(8) == [])
    table.stage(1, "2")
    #expect(table.synced(8) == [.init(view: 1, values: "7", timestamp: 8, isOptimistic: true)])
    table.stage(1, "7")
    #expect(table.synced(9) == [.init(view: 1, values: "7", timestamp: 9)])
    table.stage(1, "8")
    #expect(table.synced(10) == [.init(view: 1, values: "8", timestamp: 10)])
  }

  @Test("Updates are made again in their order on top of each newer value, and each leaves by itself")
  func order() {
    let table = Table.showing("a", "1", "b", "7")
    _ = table.expect(10, adding: 1, to: "a")
    _ = table.expect(11, multiplying: "a", by: 10)
    #expect(table.expect(12, adding: 3, to: "a") == [.init(view: 1, values: "23", timestamp: 5, isOptimistic: true)])
    table.stage(1, "4")
    #expect(table.synced(6) == [.init(view: 1, values: "53", timestamp: 6, isOptimistic: true)])
    #expect(table.giveUp(11) == [.init(view: 1, values: "8", timestamp: 6, isOptimistic: true)])
    #expect(table.confirm(10, 7) == [])
    table.stage(1, "5")
    #expect(table.synced(7) == [.init(view: 1, values: "8", timestamp: 7, isOptimistic: true)])
  }

  @Test("A query that nobody shows isn't changed, and a value of another type isn't seen")
  func unknown() {
    let table = Table.showing("a", "1", "b", #""text""#)
    let deliveries = table.expect(10) { local in
      #expect(local.value(of: Table.call("c")) == nil)
      #expect(local.value(of: Table.call("b")) == nil)
      local.set(Table.call("c"), to: 1)
      local.update(Table.call("b")) { _ in Issue.record("it isn't a number") }
      #expect(local.all("a").map(\.value) == [1])
    }
    #expect(deliveries == [])
  }

  @Test("An update that throws changes nothing, and those after it are made all the same")
  func throwing() {
    struct Refusal: Error {}
    let table = Table.showing("a", "1", "b", "7")
    let first = table.expect(10) { local in
      local.set(Table.call("a"), to: 9)
      throw Refusal()
    }
    #expect(first == [])
    #expect(table.expect(11, adding: 1, to: "a") == [.init(view: 1, values: "2", timestamp: 5, isOptimistic: true)])
  }

  @Test("A query that failed can be given a value")
  func valueForFailure() {
    let table = Table(connected: true)
    table.add(1, ["a"])
    table.fail(1)
    _ = table.synced(5)
    #expect(table.expect(10) { $0.set(Table.call("a"), to: 3) } == [.init(view: 1, values: "3", timestamp: 5, isOptimistic: true)])
    #expect(table.giveUp(10) == [.init(view: 1, values: "failed", timestamp: 5)])
  }

  @Test("Promise 6: what a new connection tells isn't shown before it is known whether it contains the mutations that were under way")
  func doubt() {
    let table = Table.showing("a", "1", "b", "7")
    _ = table.expect(10, adding: 5, to: "a")
    table.reconnect(doubting: 10)
    table.stage(1, "6")
    table.stage(2, "7")
    #expect(table.synced(9) == [], "is the 5 in it?")
    #expect(
      table.confirm(10, 8) == [.init(view: 1, values: "6", timestamp: 9), .init(view: 2, values: "7", timestamp: 9)], "it was")
  }

  @Test("A doubt that is resolved between two synceds waits for the second one")
  func doubtBetween() {
    let table = Table.showing("a", "1", "b", "7")
    _ = table.expect(10, adding: 5, to: "a")
    table.reconnect(doubting: 10)
    table.stage(1, "6")
    table.stage(2, "7")
    _ = table.synced(9)
    table.stage(2, "8")
    #expect(table.confirm(10, 10) == [])
    table.stage(1, "11")
    #expect(table.synced(10) == [.init(view: 1, values: "11", timestamp: 10), .init(view: 2, values: "8", timestamp: 10)])
  }

  @Test("Subscriptions that a new connection hasn't told yet keep an update that the others' values contain")
  func partOfThem() {
    let table = Table.showing("a", "1", "b", "7")
    _ = table.expect(10) { local in
      for query in ["a", "b"] { local.update(Table.call(query)) { $0 += 1 } }
    }
    #expect(table.confirm(10, 9) == [])
    table.reconnect()
    table.stage(1, "2")
    #expect(table.synced(3) == [.init(view: 1, values: "2", timestamp: 3)], "a timestamp of a restored server may be lower")
    #expect(table.expect(11, adding: 1, to: "b") == [.init(view: 2, values: "9", timestamp: 5, isOptimistic: true)])
    table.stage(2, "8")
    #expect(table.synced(4) == [.init(view: 2, values: "9", timestamp: 4, isOptimistic: true)])
  }

  // MARK: Means

  struct Shown: Equatable {
    var view: UInt64
    var values: String
    var timestamp: UInt64
    var isOptimistic = false
  }

  /// Queries are functions without arguments that give numbers.
  final class Table {
    private var table = SubscriptionTable<UInt64>()

    static func call(_ function: String) -> FunctionCall<Double> { FunctionCall(kind: .query, name: function) }

    init(connected: Bool) {
      if connected { table.connectionOpened() }
    }

    /// Two subscriptions, 1 and 2, that show this as of timestamp 5.
    static func showing(_ first: String, _ one: String, _ second: String, _ two: String) -> Table {
      let table = Table(connected: true)
      table.add(1, [first])
      table.add(2, [second])
      table.stage(1, one)
      table.stage(2, two)
      _ = table.synced(5)
      return table
    }

    func add(_ id: UInt64, _ functions: [String]) {
      table.add(id, functions.map { SubscribedQuery(key: QueryKey(function: $0, arguments: Array("{}".utf8)), line: []) }, id)
    }

    func stage(_ id: UInt64, _ json: String) { table.stage(id, .success(Array(json.utf8)), keepsBase: true) }
    func fail(_ id: UInt64) { table.stage(id, .failure(MartletError(.application, "m")), keepsBase: true) }
    func patch(_ id: UInt64, _ json: String) -> Bool { table.stage(id, patch: Array(json.utf8)) }

    func synced(_ timestamp: UInt64) -> [Shown] {
      var shown: [Shown] = []
      table.synced(timestamp) { shown.append(Shown($0, $1)) }
      return shown
    }

    func reconnect(doubting id: UInt64? = nil) {
      table.connectionEnded()
      if let id { table.doubt(id) }
      table.connectionOpened()
    }

    func expect(_ id: UInt64, _ update: @escaping OptimisticUpdate) -> [Shown] {
      var shown: [Shown] = []
      table.expect(id, update) { shown.append(Shown($0, $1)) }
      return shown
    }

    func expect(_ id: UInt64, adding number: Double, to function: String) -> [Shown] {
      expect(id) { local in local.update(Table.call(function)) { $0 += number } }
    }

    func expect(_ id: UInt64, multiplying function: String, by number: Double) -> [Shown] {
      expect(id) { local in local.update(Table.call(function)) { $0 *= number } }
    }

    func confirm(_ id: UInt64, _ timestamp: UInt64) -> [Shown] {
      var shown: [Shown] = []
      table.confirm(id, timestamp) { shown.append(Shown($0, $1)) }
      return shown
    }

    func giveUp(_ id: UInt64) -> [Shown] {
      var shown: [Shown] = []
      table.giveUp([id]) { shown.append(Shown($0, $1)) }
      return shown
    }
  }
}

extension SubscriptionTableTests.Shown {
  init(_ view: UInt64, _ delivery: Delivery) {
    let values = delivery.results.map { result in
      switch result {
      case .success(let json): String(decoding: json, as: UTF8.self)
      case .failure: "failed"
      }
    }
    self.init(view: view, values: values.joined(separator: ","), timestamp: delivery.timestamp, isOptimistic: delivery.isOptimistic)
  }
}
