import Foundation

/// A command at a terminal of the test's own: what it draws is read, and what a person would type is written.
final class PseudoTerminal {
  private let keyboard: Int32
  private let child: Executable.Child
  private var unread = ""
  private var hasEnded = false

  /// Linux's TIOCSPTLCK and TIOCGPTN.
  private static let (setLock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)

  init(_ arguments: [String], in folder: TemporaryFolder, rows: UInt16 = 24, columns: UInt16 = 80) throws {
    keyboard = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    // What `unlockpt` and `ptsname` do, which Glibc's module doesn't show.
    var (isLocked, number): (Int32, Int32) = (0, 0)
    guard keyboard >= 0, ioctl(keyboard, Self.setLock, &isLocked) == 0, ioctl(keyboard, Self.getNumber, &number) == 0 else {
      throw Failure("no terminal: errno \(errno)")
    }
    let environment = ["TERM": "xterm", "NO_COLOR": "1", "XDG_STATE_HOME": folder.path, "MARTLET_URL": "martlet://127.0.0.1:1"]
    Self.resize(keyboard, rows, columns)
    child = try Executable.spawn(arguments, input: .terminal("/dev/pts/\(number)"), errors: "/dev/null", environment: environment)
  }

  deinit {
    if !hasEnded { Executable.killAndReap(child) }
    close(keyboard)
  }

  func type(_ text: String) throws {
    let bytes = Array(text.utf8)
    guard write(keyboard, bytes, bytes.count) == bytes.count else { throw Failure("can't type: errno \(errno)") }
  }

  func resize(rows: UInt16, columns: UInt16) { Self.resize(keyboard, rows, columns) }

  private static func resize(_ keyboard: Int32, _ rows: UInt16, _ columns: UInt16) {
    var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(keyboard, UInt(TIOCSWINSZ), &size)
  }

  /// What is drawn up to a text, and with it. What was read is not found again.
  @discardableResult
  func read(until text: String) throws -> String {
    let deadline = Deadline()
    while true {
      if let range = unread.range(of: text) {
        let read = String(unread[..<range.upperBound])
        unread = String(unread[range.upperBound...])
        return read
      }
      guard try readMore(deadline) else { throw Failure("it ended before it showed \(text.debugDescription): \(unread.debugDescription)") }
    }
  }

  /// The exit status, and what was drawn at the end.
  func waitForExit() throws -> (status: Int32, rest: String) {
    let deadline = Deadline()
    while try readMore(deadline) {}
    hasEnded = true
    return (try Executable.waitForExit(child, deadline), unread)
  }

  /// False when nobody has the terminal any more.
  private func readMore(_ deadline: Deadline) throws -> Bool {
    guard deadline.wait(for: POLLIN, on: keyboard) else { throw Failure("nothing more was drawn behind \(unread.debugDescription)") }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = Foundation.read(keyboard, &buffer, buffer.count)
    guard count > 0 else { return false }
    unread += String(decoding: buffer[..<count], as: UTF8.self)
    return true
  }
}
