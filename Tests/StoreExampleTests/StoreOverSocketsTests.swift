import Foundation
import Martlet
import MartletClient
import StoreExample
import Testing

/// The store from end to end: clients with sockets, a data file, and services on the loopback that fail as real ones do.
@Suite("The store over sockets", .timeLimit(.minutes(2)))
struct StoreOverSocketsTests {
  @Test("Orders that are paid side by side while the services fail in every way are each charged once, confirmed and mailed; a dashboard sees it happen")
  func payments() async throws {
    // What goes wrong with the first request of an order is said by its payment method; mails have other troubles.
    let faults: [StandIns.Fault] = [.none, .slow, .tooManyRequests, .serverError, .malformed, .empty, .silence, .noConnection, .busy]
    let standIns = StandIns { service, request, before in
      guard before == 0 else { return .none }
      if service == .mail { return .serverError }
      return faults.first { request.body.contains("pm_\($0.rawValue)") } ?? .none
    }
    try await ServedStore.with(standIns) { store in
      let cup = try await store.admin.run(ProductFunctions.add("cup", "", 1_250, 100, "c", nil, nil)).description
      try await store.admin.run(UserFunctions.register("Ada", "ada@example.com"))
      let ada = try await store.client(token: try await store.admin.run(SessionFunctions.open("ada@example.com", 1)))
      let dashboard = try await store.client()
      var stats = dashboard.subscribe(OrderFunctions.getOrderStats(1)).makeAsyncIterator()
      #expect(try await stats.next()?.total == 0)

      for fault in faults {
        let order = try await ada.run(OrderFunctions.createOrder([OrderLine(productId: cup, quantity: 2)])).orderId
        try await ada.run(PaymentFunctions.processPayment(order, "pm_\(fault.rawValue)"))
      }
      let declined = try await ada.run(OrderFunctions.createOrder([OrderLine(productId: cup, quantity: 1)])).orderId
      try await ada.run(PaymentFunctions.processPayment(declined, "pm_card_chargeDeclined"))

      var last: OrderStats?
      while let next = try await stats.next() {
        last = next
        if next.byStatus["confirmed"] == faults.count, next.total == faults.count + 1 { break }
      }
      #expect(last?.revenue == Double(faults.count) * 2_500 + 1_250)
      for try await orders in ada.subscribe(OrderFunctions.getMyOrders(100)) where orders.first?.payment?.state == .declined {
        #expect(orders.dropFirst().allSatisfy { $0.status == .confirmed && $0.payment?.state == .paid })
        break
      }
      #expect(standIns.charges.count == faults.count && Set(standIns.charges.map(\.order)).count == faults.count)
      #expect(standIns.charges.allSatisfy { $0.amount == 2_500 })
      for fault in faults { #expect(standIns.faults[fault, default: 0] > 0, "no \(fault)") }
      #expect(standIns.unexpected.isEmpty)

      // The mails come behind.
      let isMailed = FunctionCall<Value>(kind: .query, name: "_system:documents", arguments: ["table": "_workpool_items", "limit": 100])
      for try await work in store.admin.subscribe(isMailed) {
        guard case .array(let items)? = work["page"] else { continue }
        if items.filter({ $0["pool"] == "mail" && $0["state"] == "success" }).count == faults.count { break }
      }
      #expect(standIns.letters.count == faults.count && standIns.letters.allSatisfy { $0.to == ["ada@example.com"] })

      // A paid order that is cancelled is paid back.
      let paid = try #require(try await ada.run(OrderFunctions.getMyOrders(100)).last)
      try await ada.run(OrderFunctions.cancelOrder(paid.id))
      for try await orders in ada.subscribe(OrderFunctions.getMyOrders(100)) where orders.last?.payment?.state == .refunded { break }
      #expect(standIns.refunds == [paid.paymentId])
      for client in [ada, dashboard] { await client.close() }
    }
  }
}
