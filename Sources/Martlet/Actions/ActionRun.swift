import Logging
import Synchronization

/// One run of an action, as its context knows it: which function it is, and what it has logged.
package final class ActionRun: Sendable {
  let function: String
  /// Whose request it is; nil for the server's own and for calls of other functions.
  let session: SessionID?
  private let lines = Mutex<[LogLine]>([])

  package init(function: String, session: SessionID? = nil) {
    self.function = function
    self.session = session
  }

  /// Keeps a line, unless there are as many as one run may log.
  func keep(_ line: LogLine) -> Bool {
    lines.withLock { lines in
      guard lines.count < FunctionLog.maximumLines else { return false }
      lines.append(line)
      return true
    }
  }

  /// What was logged since this was asked for last.
  func takeLines() -> [LogLine] {
    lines.withLock { lines in
      defer { lines = [] }
      return lines
    }
  }
}

/// `ctx.log` of an action. A line is in the server's log at once, and with the caller who asked for logs, and in `_system:logs`, when the action has
/// ended.
///
/// At most 256 lines of a run are kept. Values of environment variables that actions have read are replaced by their names: see `ActionEnvironment`.
public struct ActionLog: Sendable {
  let engine: Engine
  let run: ActionRun

  public func debug(_ message: @autoclosure () -> String) { log(.debug, message()) }
  public func info(_ message: @autoclosure () -> String) { log(.info, message()) }
  public func warning(_ message: @autoclosure () -> String) { log(.warning, message()) }
  public func error(_ message: @autoclosure () -> String) { log(.error, message()) }

  private func log(_ level: FunctionLog.Level, _ message: String) {
    let environment = engine.environment
    let line = LogLine(
      function: run.function, level: level, message: environment.outside.secrets.redact(message), at: environment.clock.wallMilliseconds())
    if run.keep(line) { engine.writeToServerLog(line) }
  }
}

extension ActionContext {
  public var log: ActionLog { ActionLog(engine: engine, run: run) }
}
