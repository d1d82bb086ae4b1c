import Martlet

/// Fills an empty store: a catalogue, three customers, and orders in every status.
///
/// It calls the store's own functions, so that stock, totals and notifications fit together as they would had people
/// placed these orders.
public enum Demo: FunctionModule {
  public static let path = "demo"
  public static let functions: [any ServerFunction] = [fill]

  /// Does nothing where there are products already.
  public static let fill = Mutation("fill") { ctx in
    guard try ctx.db.query(Products.self).first() == nil else { return }
    var products: [String: String] = [:]
    for product in catalogue {
      products[product.name] = try ctx.run(
        ProductFunctions.add(
          product.name, product.description, product.price, product.stock, product.category, nil, product.tags)
      ).description
    }
    try ctx.run(ProductFunctions.setActive(products["Film camera strap"]!, false))

    var customers: [String: ID<Users>] = [:]
    for customer in Demo.customers {
      customers[customer.name] = try ctx.db.insert(Users.self) {
        $0.name = customer.name
        $0.email = customer.email
        $0.role = customer.role
        $0.createdAt = ctx.now
      }
    }

    for order in orders {
      let lines = order.lines.map { OrderLine(productId: products[$0.product]!, quantity: $0.quantity) }
      let id = try ctx.placeOrder(lines, for: customers[order.customer]!).orderId
      for progress in order.progress {
        if progress == .cancelled {
          try ctx.run(OrderFunctions.cancelOrder(id))
        } else {
          try ctx.run(OrderFunctions.updateOrderStatus(id, progress, order.trackingNumber))
        }
      }
    }
  }
}
