/// What one function may use. Each has an error, `limit_exceeded`, that names the limit, its value and the function.
public struct Limits: Sendable {
  /// Documents that one transaction may read; a scan counts every document that it passes.
  public var documentsRead = 32_000
  /// Documents that one transaction may insert, change or delete.
  public var documentsWritten = 16_000
  /// The JSON of all documents written in one transaction, in bytes. At most 64 MiB.
  public var bytesWritten = 8 << 20
  /// One document's JSON, in bytes. At most 16 MiB.
  public var documentBytes = 1 << 20
  /// How deep values may nest in a document. More than 60 is taken as 60: JSON is read to 64 levels everywhere, and an
  /// answer puts a document into a list, say.
  public var documentDepth = 16
  /// How long a query's or mutation's handler may run, in milliseconds; looked at in every
  /// sixteenth call of the database. 60,000 at most.
  public var handlerMilliseconds = 1_000
  /// How long an action may run, in milliseconds. 2^31 − 1 at most, 24 days.
  public var actionMilliseconds = 600_000

  public init() {}

  /// The limits by their names, for who reads them from text.
  package static let named: [(name: String, path: WritableKeyPath<Limits, Int> & Sendable)] = [
    ("documentsRead", \.documentsRead), ("documentsWritten", \.documentsWritten), ("bytesWritten", \.bytesWritten),
    ("documentBytes", \.documentBytes), ("documentDepth", \.documentDepth), ("handlerMilliseconds", \.handlerMilliseconds),
    ("actionMilliseconds", \.actionMilliseconds),
  ]

  /// For what the server does itself: a server whose functions may use little must go on all the same.
  static let ofServer: LimitChanges = { limits in
    let standard = Limits()
    for (_, path) in named { limits[keyPath: path] = max(limits[keyPath: path], standard[keyPath: path]) }
  }

  /// What fits into one batch of the log beside those that may wait there.
  static let mostBytesWritten = 64 << 20

  /// The same with times that a clock can be asked for: whoever wants no limit may have written `Int.max`.
  var bounded: Limits {
    var limits = self
    limits.handlerMilliseconds = min(max(handlerMilliseconds, 0), 60_000)
    limits.actionMilliseconds = min(max(actionMilliseconds, 0), Int(Int32.max))
    return limits
  }
}

/// How a function's limits differ from its server's; what it leaves alone stays the server's.
public typealias LimitChanges = @Sendable (inout Limits) -> Void

/// A server's limits, shared by its transactions.
final class SharedLimits: Sendable {
  let limits: Limits
  init(_ limits: Limits) { self.limits = limits.bounded }
}

/// How much of the engine's own thread a handler may use before it is abandoned there and run again on another.
///
/// A transaction that is over sooner than a thread can be woken belongs on the engine's thread; a longer one would make
/// everybody wait.
struct LoopBudget {
  static let documents = 4_096
  static let nanoseconds: UInt64 = 3_000_000
}
