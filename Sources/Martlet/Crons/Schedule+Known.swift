import Synchronization

/// Schedules that were read from their texts before. A cron is read each time that it runs, and to read one takes longer than all else that its
/// schedule does.
extension Schedule {
  private static let known = Mutex<[String: Schedule]>([:])
  private static let mostKnown = 1_024

  /// The schedule of a text; nil for one that isn't valid.
  static func known(_ text: String) -> Schedule? {
    if let schedule = known.withLock({ $0[text] }) { return schedule }
    guard let schedule = try? Schedule(text: text) else { return nil }
    known.withLock { known in
      // Apps have a few. Where something makes up ever new ones, beginning again is as good as choosing which to forget.
      if known.count >= mostKnown { known = [:] }
      known[text] = schedule
    }
    return schedule
  }
}
