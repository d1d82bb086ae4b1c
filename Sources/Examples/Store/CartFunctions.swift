import Martlet

public enum CartFunctions: FunctionModule {
  public static let path = "cart"
  public static let functions: [any ServerFunction] = [getCart, addItem, removeItem, checkout]

  /// What is in the cart of who is signed in (or of the guest), at the prices of now. What is sold no more is left out.
  public static let getCart = Query("getCart") { ctx -> CartContents in
    guard let user = try ctx.customer(), let cart = try ctx.db.cart(of: user.id) else { return CartContents() }
    return CartContents(
      items: try cart.items.compactMap { line in
        guard let product = try ctx.db.findProduct(line.productId), product.isActive else { return nil }
        return CartItem(productId: line.productId, quantity: line.quantity, name: product.name, price: product.price)
      })
  }

  /// Puts more of a product into the cart. The stock is looked at when it is ordered.
  public static let addItem = Mutation(
    "addItem", Arg("productId", .string), Arg("quantity", .wholeNumber, default: 1)
  ) { ctx, productId, quantity in
    let product = try ctx.db.getProduct(productId)
    guard product.isActive else { throw ApplicationError("Product \(product.name) is not available") }
    guard (1...1_000).contains(quantity) else { throw ApplicationError("quantity must be between 1 and 1000") }
    try ctx.changeCart { items in
      if let index = items.firstIndex(where: { $0.productId == productId }) {
        items[index].quantity += quantity
      } else {
        items.append(OrderLine(productId: productId, quantity: quantity))
      }
      guard items.count <= 100 else { throw ApplicationError("A cart takes 100 products at most") }
    }
  }

  public static let removeItem = Mutation("removeItem", Arg("productId", .string)) { ctx, productId in
    try ctx.changeCart { $0.removeAll { $0.productId == productId } }
  }

  /// Orders what is in the cart, and empties it: both, or neither.
  public static let checkout = Mutation("checkout") { ctx in
    let user = try ctx.currentUser()
    guard let cart = try ctx.db.cart(of: user), !cart.items.isEmpty else { throw ApplicationError("The cart is empty") }
    let receipt = try ctx.placeOrder(cart.items, for: user)
    try ctx.changeCart { $0 = [] }
    return receipt
  }
}

extension ReadsDatabase {
  fileprivate func cart(of user: ID<Users>) throws -> Document<Carts>? {
    try query(Carts.self).withIndex(\.byUserId) { $0.eq(\.userId, user) }.first()
  }
}

extension MutationContext {
  /// Changes the cart, or makes it: an upsert by the index.
  fileprivate func changeCart(_ change: (inout [OrderLine]) throws -> Void) throws {
    let user = try currentUser()
    let cart = try db.cart(of: user)
    var items = cart?.items ?? []
    try change(&items)
    if let cart {
      try db.patch(cart.id) {
        $0.items = items
        $0.updatedAt = now
      }
    } else {
      try db.insert(Carts.self) {
        $0.userId = user
        $0.items = items
        $0.updatedAt = now
      }
    }
  }
}
