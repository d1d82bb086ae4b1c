import Martlet

// Types that cross the wire as objects, and are neither documents nor parts of them.

/// A line of an order to be placed: which product, and how many.
public struct OrderLine: Sendable {
  public var productId: String
  public var quantity: Int

  public init(productId: String, quantity: Int) {
    self.productId = productId
    self.quantity = quantity
  }

  static let validator = Validator<OrderLine>.object(
    Property("productId", \OrderLine.productId, .string), Property("quantity", \OrderLine.quantity, .wholeNumber)
  ) { productId, quantity in
    // A negative quantity would fill the stock, and lower the total.
    guard quantity > 0 else {
      throw ValidationError(path: [.field("quantity")], expected: "a whole number of at least 1", found: "\(quantity)")
    }
    return OrderLine(productId: productId, quantity: quantity)
  }
}

/// The answer of `orders:createOrder`.
public struct OrderReceipt: ValidatedValue {
  public let orderId: ID<Orders>
  public let total: Double

  public static let validator = Validator<OrderReceipt>.object(
    Property("orderId", \OrderReceipt.orderId, .id(Orders.self)), Property("total", \OrderReceipt.total, .double)
  ) {
    OrderReceipt(orderId: $0, total: $1)
  }
}

/// `{"success":true}`: the answer of a change that has nothing else to tell.
public struct Success: ValidatedValue {
  public let success: Bool

  public init() { success = true }
  private init(_ success: Bool) { self.success = success }

  public static let validator = Validator<Success>.object(Property("success", \Success.success, .boolean)) {
    Success($0)
  }
}

/// The answer of `cart:getCart`.
public struct CartContents: ValidatedValue {
  public var items: [CartItem] = []
  public var total: Double { items.reduce(0) { $0 + $1.price * Double($1.quantity) } }

  public static let validator = Validator<CartContents>.object(
    Property("items", \CartContents.items, .array(CartItem.validator)), Property("total", \CartContents.total, .double)
  ) { items, _ in CartContents(items: items) }
}

public struct CartItem: Sendable {
  public var productId: String
  public var quantity: Int
  public var name: String
  public var price: Double

  public init(productId: String, quantity: Int, name: String, price: Double) {
    self.productId = productId
    self.quantity = quantity
    self.name = name
    self.price = price
  }

  static let validator = Validator<CartItem>.object(
    Property("productId", \CartItem.productId, .string), Property("quantity", \CartItem.quantity, .wholeNumber),
    Property("name", \CartItem.name, .string), Property("price", \CartItem.price, .double)
  ) {
    CartItem(productId: $0, quantity: $1, name: $2, price: $3)
  }
}

extension Document {
  /// The document's fields and these.
  func adding(_ fields: ObjectValue) -> Value {
    guard case .object(var object) = value else { return value }
    for (name, field) in fields { object[name] = field }
    return .object(object)
  }
}
