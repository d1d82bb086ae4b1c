import MartletWire

/// One run of a function that has ended, as the log keeps it.
struct FinishedRun {
  var function: String
  var kind: FunctionKind
  var origin: RunOrigin
  /// When it ended: milliseconds since 1970.
  var at: Double
  /// Nil where it was not timed: then it took less than what counts as slow.
  var nanoseconds: UInt64?
  var isSlow: Bool
  /// Nil for actions: what they run are runs of their own.
  var usage: Usage?
  var error: WireError?

  struct Usage {
    var documentsRead: Int
    var documentsWritten: Int
    var bytesWritten: Int
  }

  var level: FunctionLog.Level { error != nil ? .error : isSlow ? .warning : .info }

  func write(to writer: inout JSONWriter, number: UInt64) {
    var members: ObjectValue = [
      "at": .float64(at), "function": .string(function), "kind": .string(kind.rawValue), "level": .string(level.rawValue),
      "number": .float64(Double(number)), "outcome": .string(error?.code.rawValue ?? "success"),
    ]
    if let error { members["message"] = .string(error.message) }
    if let nanoseconds { members["ms"] = .float64(Double(nanoseconds / 1_000) / 1_000) }
    if isSlow { members["isSlow"] = true }
    if let usage {
      members["documentsRead"] = .float64(Double(usage.documentsRead))
      members["documentsWritten"] = .float64(Double(usage.documentsWritten))
      members["bytesWritten"] = .float64(Double(usage.bytesWritten))
    }
    for (name, value) in origin.members { members[name] = .string(value) }
    writer.write(object: members)
  }
}

/// Who had a function run.
enum RunOrigin {
  /// A client. Which one, and under which id, is known when it is answered.
  case request(session: String, id: String)
  case job(DocumentID, cron: String?)
  /// Another function: an action that ran it.
  case function(String)
  /// A live query, which ran again.
  case subscription
  /// The server itself, or a program that it is a part of.
  case server

  fileprivate var members: [(String, String)] {
    switch self {
    case .request(let session, let id): [("by", "request"), ("session", session), ("request", id)]
    case .job(let job, let cron): [("by", cron == nil ? "job" : "cron"), ("job", job.description)] + (cron.map { [("cron", $0)] } ?? [])
    case .function(let caller): [("by", "function"), ("caller", caller)]
    case .subscription: [("by", "subscription")]
    case .server: [("by", "server")]
    }
  }

  /// Whether its runs are few and matter each.
  var isJob: Bool { if case .job = self { true } else { false } }
}

/// How many runs are kept beside those that always are: failed and slow ones, those that logged something, actions, jobs.
enum KeptRuns: String, CaseIterable, Sendable {
  case kept, all
}
