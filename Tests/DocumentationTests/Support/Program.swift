import Foundation

/// A running `martlet`, whose output is read line by line as it comes.
final class Program {
  private let process = Process()
  private let output: FileHandle
  private var buffer: [UInt8] = []

  /// - Parameter command: what a shell is told; `$martlet` in it is the executable.
  init(_ command: String, environment: [String: String] = [:]) throws {
    let pipe = Pipe()
    output = pipe.fileHandleForReading
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    // exec: so that the process that is killed is the executable's, not the shell's.
    process.arguments = ["-c", "exec \(command)"]
    process.environment = ProcessInfo.processInfo.environment
      .filter { !$0.key.hasPrefix("MARTLET_") }
      .merging(environment.merging(["martlet": try Self.executable]) { $1 }) { $1 }
    process.currentDirectoryURL = Repository.root
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    try pipe.fileHandleForWriting.close()
  }

  deinit { kill() }

  /// Kill -9.
  func kill() {
    guard process.isRunning else { return }
    Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// The next line, without its end; nil at the end of the output.
  func line() throws -> String? {
    while true {
      if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
        defer { buffer.removeSubrange(...end) }
        return String(decoding: buffer[..<end], as: UTF8.self)
      }
      guard let bytes = try Descriptor(output.fileDescriptor).read() else { return nil }
      buffer += bytes
    }
  }

  func lines(_ count: Int) throws -> [String] {
    try (0..<count).map { number in
      guard let line = try line() else { throw Failure("the output ended after \(number) lines") }
      return line
    }
  }

  /// Everything up to its end.
  func allLines() throws -> [String] {
    var lines: [String] = []
    while let line = try line() { lines.append(line) }
    process.waitUntilExit()
    return lines
  }

  /// `MARTLET_BINARY`, or what lies beside the tests.
  static var executable: String {
    get throws {
      if let path = ProcessInfo.processInfo.environment["MARTLET_BINARY"] { return path }
      var folders = [Bundle.main.bundleURL] + Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }
      if let tests = Bundle.main.executableURL { folders.append(tests.deletingLastPathComponent()) }
      let paths = folders.map { $0.appendingPathComponent("martlet").path }
      guard let path = paths.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
        throw Failure("there is no martlet executable at \(paths); build it, or name it in MARTLET_BINARY")
      }
      return path
    }
  }
}

/// Reading from a pipe or socket with an end to the waiting: what says nothing is a failure, not a test that never ends.
struct Descriptor {
  private static let timeoutMilliseconds: Int32 = 60_000
  private let number: Int32

  init(_ number: Int32) { self.number = number }

  /// What has come; nil at the end.
  func read() throws -> [UInt8]? {
    var descriptor = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
    guard poll(&descriptor, 1, Self.timeoutMilliseconds) > 0 else { throw Failure("nothing came for a minute") }
    var bytes = [UInt8](repeating: 0, count: 1 << 14)
    let count = Foundation.read(number, &bytes, bytes.count)
    return count > 0 ? Array(bytes[..<count]) : nil
  }
}

/// What a person with `nc` has: a socket, lines out, lines in.
final class LineSocket {
  private let descriptor: Int32
  private var buffer: [UInt8] = []

  init(port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port)).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    guard status == 0 else { throw Failure("can't connect to port \(port): errno \(errno)") }
  }

  deinit { close(descriptor) }

  func send(_ line: String) throws {
    let bytes = Array((line + "\n").utf8)
    guard write(descriptor, bytes, bytes.count) == bytes.count else { throw Failure("the socket took not all of \(line)") }
  }

  func line() throws -> String {
    while true {
      if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
        defer { buffer.removeSubrange(...end) }
        return String(decoding: buffer[..<end], as: UTF8.self)
      }
      guard let bytes = try Descriptor(descriptor).read() else { throw Failure("the server closed the connection") }
      buffer += bytes
    }
  }
}
