import Martlet

/// A shop: a catalogue, orders that take from its stock, payments, mail, and a notification for each change.
///
/// What it shows is a mutation that does several things as one: an order is checked, stored, taken from the stock and
/// notified, or none of it. Whoever subscribes to `orders:getOrdersByStatus` or `products:list` sees it as it commits. And
/// how such a mutation hands on what must happen outside of the database, once and for certain: see `PaymentFunctions`.
public enum StoreApp {
  public static var tables: [any Table.Type] {
    [Users.self, Products.self, Orders.self, Notifications.self, Sessions.self, Carts.self, Reports.self]
  }

  public static var modules: [any FunctionModule.Type] {
    [
      OrderFunctions.self, ProductFunctions.self, PaymentFunctions.self, MailFunctions.self, NotificationFunctions.self,
      UserFunctions.self, SessionFunctions.self, CartFunctions.self, ReportFunctions.self, Demo.self,
    ]
  }

  public static var triggers: [Trigger] { [ProductFunctions.warnOfLowStock] }

  public static var crons: [Cron] {
    [
      Cron("delete-old-sessions", .interval(.seconds(24 * 3_600)), SessionFunctions.deleteExpired()),
      Cron("daily-report", .cron("0 9 * * *"), ReportFunctions.generateDaily()),
      Cron("recheck-payments", .hourly(minute: 15), PaymentFunctions.recheck()),
    ]
  }

  /// How many actions of each kind run at a time, whoever calls them.
  public static var pools: [String: Int] { ["payments": 4, "mail": 2] }

  public static var workpools: [Workpool] { [PaymentFunctions.pool, MailFunctions.pool] }

  public static var tokens: any TokenVerifier { SessionTokens() }
}
