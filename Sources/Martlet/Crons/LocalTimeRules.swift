import Foundation

/// A time zone, and what a schedule does where its clocks are changed.
///
/// A clock that goes from 02:00 to 03:00 never shows 02:30; one that goes back from 03:00 to 02:00 shows it twice. People who wrote `30 2 * * *`
/// want one run on either day; people who wrote `*/10 * * * *` want one every ten minutes that pass. So, as in Vixie's cron, it depends on the
/// hours:
///
/// - **Some hours** (any set but all 24: `30 2 * * *`, `0 */2 * * *`, `* 2-3 * * *`, daily, weekly, monthly). Each matching reading of the
///   calendar runs once. One that the clock skips runs at the first moment after the gap; several of them, and what is due at that moment anyway,
///   run once together. One that is shown twice runs when it is shown first.
/// - **Every hour** (`*/10 * * * *`, `30 0-23 * * *`, hourly). It runs whenever the clock shows a matching reading: again where it is shown
///   again, and not for those that are skipped. Where clocks change by an hour, `30 * * * *` then runs once an hour of time that passes. (Where
///   they go back by half an hour, on Lord Howe, `45 * * * *` runs twice within that hour.)
///
/// Days that are skipped as a whole are such gaps too (Samoa had no 30 December 2011). The zone's rules are those of
/// Foundation, which on Linux brings its own with the Swift runtime. No time that they led to is kept here.
///
/// **How.** All that is asked of Foundation is the offset at an instant: 50 ns. A change of clocks is found between two instants with different
/// offsets by halving. That a zone changes its offset and takes it back within two days doesn't happen; such a pair would be passed over.
///
/// Instants and readings are in seconds: an instant is what UTC reads.
struct LocalTimeRules: Sendable {
  private let zone: TimeZone
  /// More than any zone's change, and than any offset.
  private static let window = 2 * 86_400

  /// Nil for what is no IANA name. (Foundation takes abbreviations such as EST too, which mean other zones to other people.)
  init?(_ name: String) {
    guard name.contains("/") || name == "GMT", let zone = TimeZone(identifier: name) else { return nil }
    self.zone = zone
  }

  /// The first instant after another one at which a schedule runs.
  func next(after instant: Int, _ fields: CalendarFields) -> Int? {
    fields.matchesEveryHour ? nextShown(after: instant, fields) : nextOnce(after: instant, fields)
  }

  /// Each reading once. `instant(of:)` never goes down where readings go up, so that the first reading which leads beyond `instant` is the one.
  private func nextOnce(after instant: Int, _ fields: CalendarFields) -> Int? {
    let reading = instant + offset(at: instant)
    guard let candidate = fields.next(from: reading + 1) else { return nil }
    let next = self.instant(of: candidate)
    if next > instant { return next }
    // What the clock reads now it has read before: go on where it will read what it never did.
    let change = change(between: instant - Self.window, and: instant)
    return fields.next(from: change + offset(at: change - 1)).map { self.instant(of: $0) }
  }

  /// Whenever it is shown. Goes from one change of clocks to the next; where no run is near, in one step to two days before it.
  private func nextShown(after instant: Int, _ fields: CalendarFields) -> Int? {
    var from = instant + 1
    while true {
      let offset = offset(at: from)
      guard let reading = fields.next(from: from + offset) else { return nil }
      let candidate = reading - offset
      let end = min(candidate, from + Self.window)
      if self.offset(at: end) != offset {
        from = change(between: from, and: end)
      } else if end == candidate {
        return candidate
      } else {
        from = max(end, candidate - Self.window)
      }
    }
  }

  /// When the clock reads something first; for what it skips, the first moment after.
  private func instant(of reading: Int) -> Int {
    let (before, after) = (reading - Self.window / 2, reading + Self.window / 2)
    let offsets = (before: offset(at: before), after: offset(at: after))
    // The offset before the change comes first: where both are right, it gives the first of two.
    if offset(at: reading - offsets.before) == offsets.before { return reading - offsets.before }
    if offset(at: reading - offsets.after) == offsets.after { return reading - offsets.after }
    return change(between: before, and: after)
  }

  /// The first instant with the later one's offset, between two whose offsets differ.
  private func change(between earlier: Int, and later: Int) -> Int {
    let offset = offset(at: later)
    var (earlier, later) = (earlier, later)
    while later - earlier > 1 {
      let middle = earlier + (later - earlier) / 2
      if self.offset(at: middle) == offset { later = middle } else { earlier = middle }
    }
    return later
  }

  private func offset(at instant: Int) -> Int { zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant))) }
}
