import Foundation
import MartletValues
import Testing

/// The `martlet` executable, running, with the bank, or with other examples; or another app's.
///
/// It listens on a port that the system chose, so that runs beside each other don't meet, and says which in its first
/// line: a test that has a `ServerProcess` can connect. Its standard error goes to a file beside its data.
///
/// The executable is the one that was built with the tests. `MARTLET_BINARY` names another: a release build, say.
final class ServerProcess {
  let processID: pid_t
  let port: Int
  /// As it said when it was ready.
  let documents: Int
  let timestamp: UInt64
  private let output: Int32
  private let errorsPath: String
  /// Kept until the process has ended.
  private let folder: TemporaryFolder
  private var hasEnded = false
  private var isToldToEnd = false

  /// Starts a server and waits until it listens.
  /// - Parameters:
  ///   - app: an executable of this package that serves itself.
  ///   - examples: what is served where there is no `app`. (The store has crons, whose documents and commits are there too.)
  ///   - environment: variables beside those of the tests.
  ///   - fileBlocks: the size that its files may reach, in units of 512 bytes; a disk that gets full is made so.
  init(
    _ folder: TemporaryFolder, app: String? = nil, examples: [String] = ["bank"], data: String = "data.sqlite",
    arguments: [String] = [], environment: [String: String] = [:], fileBlocks: Int? = nil
  ) throws {
    self.folder = folder
    errorsPath = folder.file("errors-\(UUID().uuidString)")
    let command =
      ["serve"] + (app == nil ? examples.flatMap { ["--example", $0] } : []) + ["--host", "127.0.0.1", "--port", "0", "--json"]
      + ["--data", folder.file(data), "--snapshots", folder.file("snapshots")] + arguments
    let child = try Executable.spawn(command, program: app ?? "martlet", errors: errorsPath, fileBlocks: fileBlocks, environment: environment)
    processID = child.processID
    output = child.output
    do {
      let line = try Executable.readLine(from: output, Deadline())
      let ready = try Value(json: line)
      guard case .float64(let port)? = ready["port"], case .float64(let documents)? = ready["documents"],
        case .float64(let timestamp)? = ready["timestamp"]
      else { throw Failure("the server's first line has no port, documents and timestamp: \(line)") }
      self.port = Int(port)
      self.documents = Int(documents)
      self.timestamp = UInt64(timestamp)
    } catch {
      Executable.killAndReap(child)
      throw Failure("the server did not start: \(error); on standard error: \(Executable.contents(errorsPath))")
    }
  }

  deinit { kill() }

  func connect(receiveBufferBytes: Int32? = nil) throws -> RawClient {
    try RawClient(port: port, receiveBufferBytes: receiveBufferBytes)
  }

  /// Kill -9: it gets no chance to write anything any more. A server that has ended by itself is an issue of the test.
  func kill() {
    guard !hasEnded else { return }
    hasEnded = true
    if !isToldToEnd, Deadline(seconds: 0).wait(for: POLLIN, on: output) {
      Issue.record("the server ended by itself: \(lastWords)")
    }
    Executable.killAndReap((processID, output))
  }

  /// Kill -9 that returns at once. `kill` must follow.
  func sendKill() { send(SIGKILL) }

  func sendTerminate() { send(SIGTERM) }

  /// Has it stand still, with all its threads.
  func suspend() { Foundation.kill(processID, SIGSTOP) }

  func resume() { Foundation.kill(processID, SIGCONT) }

  private func send(_ signal: Int32) {
    isToldToEnd = true
    Foundation.kill(processID, signal)
  }

  /// Whether it has ended, or is about to: it has closed its output.
  var isOver: Bool { Deadline(seconds: 0).wait(for: POLLIN, on: output) }

  /// Waits for its end, after `sendTerminate`.
  func waitForExit(_ deadline: Deadline = Deadline()) throws -> Int32 {
    let status = try Executable.waitForExit((processID, output), deadline)
    hasEnded = true
    return status
  }

  /// SIGTERM, and the exit status.
  @discardableResult
  func stop() throws -> Int32 {
    sendTerminate()
    return try waitForExit()
  }

  /// What it said before a crash and which thread crashed; else the end of its standard error.
  var lastWords: String {
    let errors = standardError
    guard let crash = errors.firstRange(of: "*** Signal"),
      let thread = errors.firstRange(of: "\" crashed:")
    else { return String(errors.suffix(3_000)) }
    return String(errors[..<crash.lowerBound].suffix(8_000)) + String(errors[thread.upperBound...].prefix(16_000))
  }

  var standardError: String { Executable.contents(errorsPath) }

  /// What of it is in memory now.
  var residentBytes: Int {
    get throws {
      let status = try String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)
      guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
        let kilobytes = Int(line.split(whereSeparator: { $0 == " " || $0 == "\t" })[1])
      else { throw Failure("there is no VmRSS in the status of process \(processID)") }
      return kilobytes << 10
    }
  }
}
