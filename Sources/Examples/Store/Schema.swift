import Martlet

// Money is in minor units (cents); times are milliseconds since 1970.

public struct Users: Table {
  public static let name = "users"

  public let name = Field(.string)
  public let email = Field(.string)
  public let avatarUrl = Field(.optional(.string))
  public let createdAt = Field(.double)
  public let role = Field(.enumeration(UserRole.self))
  public let metadata = Field(.optional(.any))

  public let byEmail = Index("by_email", \Users.email)
  public let byCreatedAt = Index("by_createdAt", \Users.createdAt)

  public init() {}
}

public enum UserRole: String, CaseIterable, Sendable {
  case admin, user
}

public struct Products: Table {
  public static let name = "products"

  public let name = Field(.string)
  public let description = Field(.string)
  public let price = Field(.double)
  /// What is left to be ordered: never negative.
  public let stock = Field(.wholeNumber)
  public let category = Field(.string)
  public let imageUrl = Field(.optional(.string))
  /// Whether it is on sale. Orders keep the products that no longer are.
  public let isActive = Field(.boolean)
  public let tags = Field(.array(.string))
  public let createdAt = Field(.double)
  public let updatedAt = Field(.double)

  public let byCategory = Index("by_category", \Products.category)
  public let byIsActive = Index("by_isActive", \Products.isActive)

  public init() {}
}

public struct Orders: Table {
  public static let name = "orders"

  public let userId = Field(.id(Users.self))
  public let status = Field(.enumeration(OrderStatus.self))
  public let items = Field(.array(OrderItem.validator))
  public let total = Field(.double)
  public let createdAt = Field(.double)
  public let confirmedAt = Field(.optional(.double))
  public let shippedAt = Field(.optional(.double))
  public let deliveredAt = Field(.optional(.double))
  public let paymentId = Field(.optional(.string))
  public let trackingNumber = Field(.optional(.string))

  public let byUserId = Index("by_userId", \Orders.userId)
  public let byStatus = Index("by_status", \Orders.status)
  public let byCreatedAt = Index("by_createdAt", \Orders.createdAt)
  public let byUserIdStatus = Index("by_userId_status", \Orders.userId, \Orders.status)

  public init() {}
}

public enum OrderStatus: String, CaseIterable, Sendable {
  case pending, confirmed, shipped, delivered, cancelled
}

/// One line of an order. It keeps the product's name and price of the day, which the catalogue may change later.
public struct OrderItem: Sendable {
  public var productId: String
  public var quantity: Int
  public var price: Double
  public var name: String

  static let validator = Validator<OrderItem>.object(
    Property("productId", \OrderItem.productId, .string),
    Property("quantity", \OrderItem.quantity, .wholeNumber),
    Property("price", \OrderItem.price, .double),
    Property("name", \OrderItem.name, .string)
  ) {
    OrderItem(productId: $0, quantity: $1, price: $2, name: $3)
  }
}

public struct Notifications: Table {
  public static let name = "notifications"

  public let userId = Field(.id(Users.self))
  public let title = Field(.string)
  public let message = Field(.string)
  public let type = Field(.enumeration(NotificationType.self))
  public let isRead = Field(.boolean)
  public let createdAt = Field(.double)
  public let metadata = Field(.optional(.any))

  public let byUserId = Index("by_userId", \Notifications.userId)
  public let byUserIdIsRead = Index("by_userId_isRead", \Notifications.userId, \Notifications.isRead)
  public let byCreatedAt = Index("by_createdAt", \Notifications.createdAt)

  public init() {}
}

public enum NotificationType: String, CaseIterable, Sendable {
  case info, success, warning, error
}
