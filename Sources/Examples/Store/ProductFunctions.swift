import Martlet

public enum ProductFunctions: FunctionModule {
  public static let path = "products"
  public static let functions: [any ServerFunction] = [list, add, restock, setActive, adjustPrices]

  /// The catalogue, or a category of it, oldest first: what is on sale, and if asked for, what is not.
  public static let list = Query(
    "list", Arg("category", .optional(.string)), Arg("limit", .optional(.wholeNumber)),
    Arg("includeInactive", .optional(.boolean))
  ) { ctx, category, limit, includeInactive in
    let products = try ctx.db.query(Products.self)
    let limit = limit ?? 100
    switch (category, includeInactive ?? false) {
    case (let category?, let all):
      return try products.withIndex(\.byCategory) { $0.eq(\.category, category) }
        .filter { all || $0.isActive }
        .take(limit)
    case (nil, true): return try products.take(limit)
    case (nil, false): return try products.withIndex(\.byIsActive) { $0.eq(\.isActive, true) }.take(limit)
    }
  }

  /// Adds a product that is on sale at once. The price is in minor units.
  public static let add = Mutation(
    "add", Arg("name", .string), Arg("description", .string), Arg("price", .double), Arg("stock", .wholeNumber),
    Arg("category", .string), Arg("imageUrl", .optional(.string)), Arg("tags", .optional(.array(.string)))
  ) { ctx, name, description, price, stock, category, imageUrl, tags in
    guard (0...highestPrice).contains(price) else {
      throw ApplicationError("price must be between 0 and \(Int(highestPrice))")
    }
    guard (0...largestStock).contains(stock) else {
      throw ApplicationError("stock must be between 0 and \(largestStock)")
    }
    return try ctx.db.insert(Products.self) {
      $0.name = name
      $0.description = description
      $0.price = price
      $0.stock = stock
      $0.category = category
      $0.imageUrl = imageUrl
      $0.isActive = true
      $0.tags = tags ?? []
      $0.createdAt = ctx.now
      $0.updatedAt = ctx.now
    }
  }

  /// Adds to a product's stock, and answers what there is now.
  public static let restock = Mutation(
    "restock", Arg("productId", .string), Arg("quantity", .wholeNumber)
  ) { ctx, productId, quantity in
    let product = try ctx.db.getProduct(productId)
    guard quantity > 0 else { throw ApplicationError("quantity must be at least 1") }
    let stock = product.stock + quantity
    guard stock <= largestStock else { throw ApplicationError("stock must be between 0 and \(largestStock)") }
    try ctx.db.patch(product.id) {
      $0.stock = stock
      $0.updatedAt = ctx.now
    }
    return Double(stock)
  }

  /// Takes a product off sale, or puts it back.
  public static let setActive = Mutation(
    "setActive", Arg("productId", .string), Arg("isActive", .boolean)
  ) { ctx, productId, isActive in
    let product = try ctx.db.getProduct(productId)
    try ctx.db.patch(product.id) {
      $0.isActive = isActive
      $0.updatedAt = ctx.now
    }
  }

  /// How many prices are changed in one transaction.
  static let batch = 100

  /// Changes all prices, or those of a category, by so many percent: a job for however many products there are.
  ///
  /// Each run changes a page of them and schedules the next one, in one transaction. So every product is changed once,
  /// whatever is restarted meanwhile, and nobody waits for all of them.
  public static let adjustPrices: Mutation<Int, Double, String?, String?> = Mutation(
    "adjustPrices", Arg("percent", .double), Arg("category", .optional(.string)), Arg("cursor", .optional(.string)),
    visibility: .internal
  ) { ctx, percent, category, cursor -> Int in
    guard (-90...900).contains(percent) else { throw ApplicationError("percent must be between -90 and 900") }
    let products = try ctx.db.query(Products.self)
    let page = PaginationOptions(numItems: batch, cursor: cursor)
    let found =
      if let category { try products.withIndex(\.byCategory) { $0.eq(\.category, category) }.paginate(page) } else { try products.paginate(page) }
    for product in found.documents {
      try ctx.db.patch(product.id) {
        $0.price = (product.price * (1 + percent / 100)).rounded()
        $0.updatedAt = ctx.now
      }
    }
    if !found.isDone { try ctx.scheduler.run(after: .zero, adjustPrices(percent, category, found.continueCursor)) }
    return found.documents.count
  }

  /// A product of which fewer are left is nearly gone.
  public static let lowStock = 5

  /// Tells the admins when a product becomes scarce, whoever made it so: an order, an import, an admin's own hand.
  public static let warnOfLowStock = Trigger.onChange(of: Products.self) { ctx, change in
    guard let product = change.new, product.isActive, product.stock < lowStock, let before = change.old, before.stock >= lowStock else { return }
    for admin in try ctx.db.query(Users.self).withIndex(\.byRole, { $0.eq(\.role, .admin) }).take(50) {
      try ctx.notify(
        admin.id, .warning, "Low stock", "\(product.stock) left of \(product.name)", metadata: ["productId": .string(product.id.description)])
    }
  }

  // Bounds that no shop meets, so that sums of money and stock stay far below 2^53, where numbers lose their units.
  private static let highestPrice = 1_000_000_000.0
  private static let largestStock = 1_000_000_000
}

extension ReadsDatabase {
  func getProduct(_ text: String) throws -> Document<Products> {
    guard let product = try findProduct(text) else { throw ApplicationError("Product \(text) not found") }
    return product
  }

  /// The product with this id. Orders name products by text, which may be anything: what is no product's id gives nil.
  func findProduct(_ text: String) throws -> Document<Products>? {
    guard let id = ID<Products>(text) else { return nil }
    // `find` throws for an id of another table. It throws also where a limit is exceeded, but then the transaction is
    // over, and its caller told so, whatever is done here.
    return try? find(id)
  }
}
