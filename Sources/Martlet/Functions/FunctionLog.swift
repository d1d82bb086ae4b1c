/// A line that a function logged.
package struct LogLine: Sendable {
  package var function: String
  package var level: FunctionLog.Level
  package var message: String
  /// Milliseconds since 1970.
  package var at: Double

  /// - Parameter number: its place in the server's log; nil for who knows what was called, and has no use for either.
  package func write(to writer: inout JSONWriter, number: UInt64?) {
    writer.write(byte: UInt8(ascii: "{"))
    writer.write(key: "at")
    writer.write(double: at)
    if number != nil {
      writer.write(byte: UInt8(ascii: ","))
      writer.write(key: "function")
      writer.write(string: function)
    }
    writer.write(byte: UInt8(ascii: ","))
    writer.write(key: "level")
    writer.write(string: level.rawValue)
    writer.write(byte: UInt8(ascii: ","))
    writer.write(key: "message")
    writer.write(string: message)
    if let number {
      writer.write(byte: UInt8(ascii: ","))
      writer.write(key: "number")
      writer.write(double: Double(number))
    }
    writer.write(byte: UInt8(ascii: "}"))
  }
}

/// `ctx.log`: lines for the server's log, and for a caller who asked for logs. A handler that is run again logs once.
public struct FunctionLog {
  public enum Level: String, CaseIterable, Sendable { case debug, info, warning, error }

  let transaction: Transaction

  public func debug(_ message: @autoclosure () -> String) { log(.debug, message()) }
  public func info(_ message: @autoclosure () -> String) { log(.info, message()) }
  public func warning(_ message: @autoclosure () -> String) { log(.warning, message()) }
  public func error(_ message: @autoclosure () -> String) { log(.error, message()) }

  /// Lines that one run may log; later ones are dropped, so that a loop can't fill the memory.
  static let maximumLines = 256

  private func log(_ level: Level, _ message: String) {
    guard transaction.logLines.count < Self.maximumLines else { return }
    transaction.logLines.append(
      LogLine(function: transaction.functionName, level: level, message: message, at: transaction.now))
  }
}
