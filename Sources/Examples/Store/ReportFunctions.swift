import Foundation
import Martlet

public enum ReportFunctions: FunctionModule {
  public static let path = "reports"
  public static let functions: [any ServerFunction] = [generateDaily, list]

  /// Stores what the day before brought, and has it mailed to the admins.
  ///
  /// A day has one report: run again, it changes the one that there is, and mails nothing.
  public static let generateDaily = Mutation("generateDaily", visibility: .internal) { ctx in
    let today = (ctx.now / day).rounded(.down) * day
    let yesterday = today - day
    let name = Self.name(ofDay: yesterday)
    let stats = try ctx.db.orderStats(from: yesterday, to: today)
    let scarce = try ctx.db.query(Products.self).withIndex(\.byIsActive) { $0.eq(\.isActive, true) }
      .filter { $0.stock < ProductFunctions.lowStock }
      .take(100)
    let stuck = try ctx.db.query(Orders.self).withIndex(\.byPayment) { $0.eq("payment.state", .string(PaymentState.stuck.rawValue)) }.count()
    let existing = try ctx.db.query(Reports.self).withIndex(\.byDay) { $0.eq(\.day, name) }.first()
    func fill(_ report: inout Draft<Reports>) {
      report.day = name
      report.orders = stats.total
      report.revenue = stats.revenue
      report.byStatus = stats.byStatus
      report.lowStock = scarce.map(\.name)
      report.stuckPayments = stuck
      report.createdAt = ctx.now
    }
    if let existing {
      try ctx.db.replace(existing.id) { fill(&$0) }
    } else {
      try ctx.db.insert(Reports.self) { fill(&$0) }
      try ctx.workpools.enqueue(MailFunctions.pool, MailFunctions.sendDailyReport(name))
    }
    return name
  }

  /// The newest reports.
  public static let list = Query("list", Arg("limit", .wholeNumber, default: 30)) { ctx, limit in
    try ctx.db.query(Reports.self).withIndex(\.byDay).order(.descending).take(limit)
  }

  private static let day = 86_400_000.0

  /// `2026-11-21`, by UTC.
  static func name(ofDay time: Double) -> String {
    Date(timeIntervalSince1970: time / 1_000).formatted(.iso8601.year().month().day())
  }
}
