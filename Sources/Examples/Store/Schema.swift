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

  public let byEmail = Index("by_email", \Users.email, unique: true)
  public let byCreatedAt = Index("by_createdAt", \Users.createdAt)
  public let byRole = Index("by_role", \Users.role)

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
  /// The payment that was begun last; absent until one is.
  public let payment = Field(.optional(Payment.validator))
  /// What the shop's people should know of it: why a payment failed, say.
  public let notes = Field(.optional(.array(OrderNote.validator)))

  public let byUserId = Index("by_userId", \Orders.userId)
  public let byStatus = Index("by_status", \Orders.status)
  public let byCreatedAt = Index("by_createdAt", \Orders.createdAt, summing: \Orders.total)
  public let byStatusCreatedAt = Index("by_status_createdAt", \Orders.status, \Orders.createdAt)
  public let byPayment = Index<Orders>("by_payment", path: "payment.state")
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

/// How far a payment of an order has come.
///
///     processing ─┬─ charged ──▶ paid ──▶ refunding ─┬─▶ refunded
///        ▲        ├─ refused ──▶ declined   ▲        └─▶ unrefunded: tried again hourly
///        │        └─ who knows ─▶ unclear   └─────────────────┘
///        └──────────────────────────┘  └─ after a day ─▶ stuck: a person looks it up
public enum PaymentState: String, CaseIterable, Sendable {
  case processing, paid, declined, unclear, stuck, refunding, refunded, unrefunded

  /// Whether money may be moving, or may have moved without our knowing: no other payment may begin.
  public var isUnderWay: Bool { self == .processing || self == .unclear || self == .stuck }
}

public struct Payment: Sendable {
  public var state: PaymentState
  /// Counts the customer's tries. What is asked of the payment service for one try is asked under one idempotency key, however often.
  public var attempt: Int
  public var method: String
  public var startedAt: Double
  /// Why it was declined, or why nobody knows.
  public var error: String?
  public var refundId: String?

  static let validator = Validator<Payment>.object(
    Property("state", \Payment.state, .enumeration(PaymentState.self)),
    Property("attempt", \Payment.attempt, .wholeNumber),
    Property("method", \Payment.method, .string),
    Property("startedAt", \Payment.startedAt, .double),
    Property("error", \Payment.error, .optional(.string)),
    Property("refundId", \Payment.refundId, .optional(.string))
  ) {
    Payment(state: $0, attempt: $1, method: $2, startedAt: $3, error: $4, refundId: $5)
  }
}

public struct OrderNote: Sendable {
  public var text: String
  public var createdAt: Double

  static let validator = Validator<OrderNote>.object(
    Property("text", \OrderNote.text, .string), Property("createdAt", \OrderNote.createdAt, .double)
  ) {
    OrderNote(text: $0, createdAt: $1)
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

/// Who has signed in, and until when. A session is what a token leads to: without it the token is worth nothing.
public struct Sessions: Table {
  public static let name = "sessions"

  public let userId = Field(.id(Users.self))
  public let token = Field(.string)
  public let expiresAt = Field(.double)
  public let createdAt = Field(.double)

  public let byToken = Index("by_token", \Sessions.token, unique: true)
  public let byUserId = Index("by_userId", \Sessions.userId)
  public let byExpiresAt = Index("by_expiresAt", \Sessions.expiresAt)

  public init() {}
}

/// What somebody is about to order: one cart each.
public struct Carts: Table {
  public static let name = "carts"

  public let userId = Field(.id(Users.self))
  public let items = Field(.array(OrderLine.validator))
  public let updatedAt = Field(.double)

  public let byUserId = Index("by_userId", \Carts.userId, unique: true)

  public init() {}
}

/// What a day brought: one report each.
public struct Reports: Table {
  public static let name = "reports"

  /// `2026-11-21`, by UTC.
  public let day = Field(.string)
  public let orders = Field(.wholeNumber)
  public let revenue = Field(.double)
  public let byStatus = Field(.record(.wholeNumber))
  /// Products that are on sale and nearly gone.
  public let lowStock = Field(.array(.string))
  /// Payments that a person has to look up.
  public let stuckPayments = Field(.wholeNumber)
  public let createdAt = Field(.double)

  public let byDay = Index("by_day", \Reports.day, unique: true)

  public init() {}
}
