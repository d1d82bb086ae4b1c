/// What all runs of one function since the start add up to.
///
/// It is kept of every function, always, so it must cost next to nothing: eight integers in one cache line, changed on the engine's thread, without a
/// look-up, a lock or an allocation. Only time isn't free: a reading of the exact clock takes about 25 ns, and a run needs two, where all of a short query
/// takes 3,000. So the first runs of a function are timed, those that follow one which was worth an entry in the log, and of the others each sixteenth;
/// for the rest the coarse clock (6 ns, in steps of 1 to 10 ms) tells whether they were slow.
struct FunctionTally {
  private(set) var runs: UInt64 = 0
  private(set) var failures: UInt64 = 0
  private(set) var documentsRead: UInt64 = 0
  private(set) var documentsWritten: UInt64 = 0
  /// Of the runs that were timed, in nanoseconds.
  private(set) var timedRuns: UInt64 = 0
  private(set) var time: UInt64 = 0
  private(set) var longestTime: UInt64 = 0
  /// Up to which run each one is timed.
  private var timedUpTo = Self.timedInARow
  /// Whether somebody wants an entry for each run.
  var keepsAll = false

  static let timedInARow: UInt64 = 64

  var isTimedNext: Bool { runs & 15 == 0 || runs < timedUpTo || keepsAll }

  /// - Parameter nanoseconds: nil where the run was not timed.
  @inline(__always)
  mutating func note(documentsRead: Int, documentsWritten: Int, nanoseconds: UInt64?, hasFailed: Bool) {
    runs += 1
    self.documentsRead += UInt64(documentsRead)
    self.documentsWritten += UInt64(documentsWritten)
    if hasFailed { failures += 1 }
    guard let nanoseconds else { return }
    timedRuns += 1
    time += nanoseconds
    if nanoseconds > longestTime { longestTime = nanoseconds }
  }

  /// The next runs may be worth an entry too, and an entry tells the time.
  mutating func timeNext() { timedUpTo = runs + Self.timedInARow }
}

/// The tallies of an engine's functions, found by their numbers. Those that are not registered, the server's own transactions, share the first.
///
/// Memory of its own, since an array within an actor asks with each access whether somebody else is at it.
final class FunctionTallies {
  private let tallies: UnsafeMutableBufferPointer<FunctionTally>

  init(functions: Int) {
    tallies = .allocate(capacity: functions + 1)
    tallies.initialize(repeating: FunctionTally())
  }

  deinit { tallies.deallocate() }

  @inline(__always)
  subscript(function: FunctionDefinition) -> FunctionTally {
    unsafeAddress { UnsafePointer(address(of: function)) }
    unsafeMutableAddress { address(of: function) }
  }

  @inline(__always)
  private func address(of function: FunctionDefinition) -> UnsafeMutablePointer<FunctionTally> {
    precondition(function.number < tallies.count)
    return tallies.baseAddress! + function.number
  }

  func keepAll(_ keepsAll: Bool) {
    for index in tallies.indices.dropFirst() { tallies[index].keepsAll = keepsAll }
  }
}
