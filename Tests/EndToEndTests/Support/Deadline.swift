import Foundation

/// A moment after which a test no longer waits. Every wait of these tests ends at one: a server that hangs is a failure
/// with a message, not a run without an end.
struct Deadline {
  private let endNanoseconds: UInt64

  /// Long, because it only matters where something is broken, and a machine that builds at the same time is slow.
  static let usualSeconds = 30.0

  init(seconds: Double = Self.usualSeconds) {
    endNanoseconds = DispatchTime.now().uptimeNanoseconds + UInt64(seconds * 1e9)
  }

  /// In the unit of `poll`; 0 when the time is over.
  var remainingMilliseconds: Int32 {
    let now = DispatchTime.now().uptimeNanoseconds
    return now >= endNanoseconds ? 0 : Int32(min((endNanoseconds - now) / 1_000_000 + 1, 1 << 30))
  }

  /// Waits until one of the descriptors has one of its events, or is closed. False at the end of the time.
  func wait(for descriptors: inout [pollfd]) -> Bool {
    while true {
      let count = poll(&descriptors, nfds_t(descriptors.count), remainingMilliseconds)
      if count > 0 { return true }
      if count == 0 || errno != EINTR { return false }
    }
  }

  func wait(for events: Int32, on descriptor: Int32) -> Bool {
    var descriptors = [pollfd(fd: descriptor, events: Int16(events), revents: 0)]
    return wait(for: &descriptors)
  }
}

/// Why a test can't go on. What was expected and what came is in its text.
struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
