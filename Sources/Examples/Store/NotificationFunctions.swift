import Martlet

public enum NotificationFunctions: FunctionModule {
  public static let path = "notifications"
  public static let functions: [any ServerFunction] = [list, unreadCount, markRead, markAllRead, markBatch]

  /// The newest notifications of who is signed in, or of the guest.
  public static let list = Query("list", Arg("limit", .wholeNumber, default: 50)) { ctx, limit -> [Document<Notifications>] in
    guard let user = try ctx.customer() else { return [] }
    return try ctx.db.query(Notifications.self).withIndex(\.byUserId) { $0.eq(\.userId, user.id) }.order(.descending).take(limit)
  }

  public static let unreadCount = Query("unreadCount") { ctx -> Int in
    guard let user = try ctx.customer() else { return 0 }
    return try ctx.db.query(Notifications.self).withIndex(\.byUserIdIsRead) { $0.eq(\.userId, user.id).eq(\.isRead, false) }.count()
  }

  public static let markRead = Mutation("markRead", Arg("notificationId", .id(Notifications.self))) { ctx, id in
    guard let notification = try ctx.db.find(id), notification.userId == (try ctx.customer()?.id) else {
      throw ApplicationError("Notification not found")
    }
    try ctx.db.patch(id) { $0.isRead = true }
  }

  public static let markAllRead = Mutation("markAllRead") { ctx in
    guard let user = try ctx.customer(),
      let newest = try ctx.db.query(Notifications.self).withIndex(\.byUserId, { $0.eq(\.userId, user.id) }).order(.descending).first()
    else { return }
    try ctx.run(markBatch(user.id, newest.creationTime))
  }

  /// How many are marked in one transaction.
  static let batch = 200

  /// Marks what was created up to a time, a batch in each transaction: what comes meanwhile stays unread.
  public static let markBatch: Mutation<Null, ID<Users>, Double> = Mutation(
    "markBatch", Arg("user", .id(Users.self)), Arg("until", .double), visibility: .internal
  ) { ctx, user, until -> Void in
    let unread = try ctx.db.query(Notifications.self)
      .withIndex(\.byUserIdIsRead) { $0.eq(\.userId, user).eq(\.isRead, false).lte("_creationTime", .float64(until)) }
      .take(batch)
    for notification in unread { try ctx.db.patch(notification.id) { $0.isRead = true } }
    if unread.count == batch { try ctx.scheduler.run(after: .zero, markBatch(user, until)) }
  }
}
