import Martlet

/// A shop: a catalogue, orders that take from its stock, and a notification for each change.
///
/// What it shows is a mutation that does several things as one: an order is checked, stored, taken from the stock and
/// notified, or none of it. Whoever subscribes to `orders:getOrdersByStatus` or `products:list` sees it as it commits.
public enum StoreApp {
  public static var tables: [any Table.Type] { [Users.self, Products.self, Orders.self, Notifications.self] }
  public static var modules: [any FunctionModule.Type] { [OrderFunctions.self, ProductFunctions.self, Demo.self] }
}
