/// Why a schedule can't run: which part of it is wrong, what was found there, and what is allowed.
///
/// `cron 61 * * * *: minute: found "61", expected 0-59`
public struct ScheduleError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The schedule's text, however wrong.
  public let schedule: String
  /// `second`, `minute`, `hour`, `day of month`, `month`, `day of week`, `fields`, `interval`, `time zone` or `schedule`.
  public let field: String
  public let found: String
  public let allowed: String

  public var description: String { "\(Self.cut(schedule)): \(field): found \(Self.cut(found)), expected \(allowed)" }

  /// What was written may be of any length.
  private static func cut(_ text: String) -> String { text.count > 200 ? text.prefix(200) + "…" : text }

  init(schedule: String, reason: Reason) {
    self.schedule = schedule
    field = reason.field
    found = reason.found
    allowed = reason.allowed
  }

  /// The error as the part sees it that doesn't know the whole.
  struct Reason: Error {
    let field: String
    let found: String
    let allowed: String

    init(_ field: String, found: String, allowed: String) {
      self.field = field
      self.found = found
      self.allowed = allowed
    }
  }
}
