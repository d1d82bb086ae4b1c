/// A function that runs on a calendar, or at intervals.
///
/// ```swift
/// MartletApp(
///   schema: […], functions: […],
///   crons: [
///     Cron("sweep", .daily(hour: 3), Sweeps.removeOld()),
///     Cron("heartbeat", .interval(.seconds(30)), Health.beat()),
///   ])
/// ```
///
/// A cron is known by its name. One that the app doesn't declare any more stops, one that is new starts, one whose schedule changed takes the
/// new one from now on, and a restart changes nothing: neither does the time of the next run drift, nor is one run twice. Times that are missed
/// while the server is down are run once, at its start, not once for each. A run that is still going when the next is due has that one skipped,
/// and `_cron_runs` says so.
public struct Cron: Sendable {
  public let name: String
  public let schedule: Schedule
  let function: String
  let arguments: [UInt8]

  public init<Result: WireValue>(_ name: String, _ schedule: Schedule, _ call: FunctionCall<Result>) {
    self.name = name
    self.schedule = schedule
    function = call.name
    arguments = call.arguments
  }
}
