import MartletWire

/// What happened within a transaction that is counted for the whole server.
struct TransactionEvents {
  var cronRuns: UInt32 = 0
  var cronsSkipped: UInt32 = 0
  var retries: UInt32 = 0
  var rateLimitRefusals: UInt32 = 0

  var isEmpty: Bool { cronRuns | cronsSkipped | retries | rateLimitRefusals == 0 }
}

extension EngineStatistics {
  mutating func note(_ events: TransactionEvents, isCommitted: Bool) {
    // Who is refused mostly throws, and is refused all the same.
    rateLimitRefusals += UInt64(events.rateLimitRefusals)
    guard isCommitted else { return }
    cronRuns += UInt64(events.cronRuns)
    cronsSkipped += UInt64(events.cronsSkipped)
    retries += UInt64(events.retries)
  }

  /// Notes which limit a function failed at, if it was one.
  mutating func noteLimit(_ error: WireError) {
    guard error.code == .limitExceeded || error.code == .timeout, case .object(let data)? = error.data, case .string(let name)? = data["limit"]
    else { return }
    limitsHit[name, default: 0] += 1
  }
}
