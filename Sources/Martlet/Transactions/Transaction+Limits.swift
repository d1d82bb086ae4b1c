import MartletWire

/// What is said of limits: the error of one that is exceeded, and the warning before.
extension Transaction {
  func exceeded(_ limit: LimitName, _ value: Int, reached: Int, _ advice: String) -> WireError {
    WireError(
      .limitExceeded,
      "\(functionName) exceeded the limit of \(value) \(limit.inWords) (\(limit.rawValue), reached \(reached)): \(advice)",
      data: Limits.errorData(limit, value, reached: reached))
  }

  /// Logs a warning for each limit of which the run used 80 % or more, so that it is known before a function fails.
  func warnOfLimits() {
    warn(.documentsRead, documentsRead, from: warnings.documentsRead, of: limits.documentsRead)
    warn(.documentsWritten, documentsWritten, from: warnings.documentsWritten, of: limits.documentsWritten)
    warn(.bytesWritten, bytesWritten, from: warnings.bytesWritten, of: limits.bytesWritten)
    // On the engine's thread a run is over, or moved, long before.
    guard place == .beside, let startNanoseconds else { return }
    let elapsed = Int((environment.clock.monotonicNanoseconds() &- startNanoseconds) / 1_000_000)
    warn(.handlerMilliseconds, elapsed, from: warnings.handlerMilliseconds, of: limits.handlerMilliseconds)
  }

  @inline(__always)
  private func warn(_ limit: LimitName, _ used: Int, from threshold: Int, of value: Int) {
    if used >= threshold { log(limit, used, value) }
  }

  private func log(_ limit: LimitName, _ used: Int, _ value: Int) {
    logLines.append(
      LogLine(
        function: functionName, level: .warning,
        message: "\(used) \(limit.inWords), of at most \(value) (\(limit.rawValue)): 80 % of the limit or more", at: now))
  }
}

/// The limits that a run is measured against, as they are called in `Limits`.
enum LimitName: String {
  case documentsRead, documentsWritten, bytesWritten, documentBytes, documentDepth, handlerMilliseconds, actionMilliseconds
  /// Of the server, not of one function.
  case memory

  var inWords: String {
    switch self {
    case .documentsRead: "documents read"
    case .documentsWritten: "documents written"
    case .bytesWritten: "bytes written"
    case .documentBytes: "bytes in a document"
    case .documentDepth: "levels in a document"
    case .handlerMilliseconds: "ms of handler time"
    case .actionMilliseconds: "ms of an action's time"
    case .memory: "bytes of memory"
    }
  }
}

extension Limits {
  /// The data of an error, for programs.
  static func errorData(_ limit: LimitName, _ value: Int, reached: Int? = nil) -> Value {
    var data: ObjectValue = ["limit": .string(limit.rawValue), "value": .float64(Double(value))]
    if let reached { data["reached"] = .float64(Double(reached)) }
    return .object(data)
  }
}

/// From where on a function is warned: 80 % of its limits, computed once for all its runs.
struct LimitWarnings {
  let documentsRead: Int
  let documentsWritten: Int
  let bytesWritten: Int
  let handlerMilliseconds: Int

  init(_ limits: Limits) {
    // The least number that is 80 % at least; not 0, which is what a run has used that did nothing of the kind.
    func threshold(_ limit: Int) -> Int { max(1, limit - limit / 5) }
    documentsRead = threshold(limits.documentsRead)
    documentsWritten = threshold(limits.documentsWritten)
    bytesWritten = threshold(limits.bytesWritten)
    handlerMilliseconds = threshold(limits.handlerMilliseconds)
  }
}
