import Foundation

/// Running the `martlet` executable, or another of this package. `posix_spawn` and not `Foundation.Process`: the tests need the process's id, its
/// exact end, and no run loop.
enum Executable {
  typealias Child = (processID: pid_t, output: Int32)

  /// Runs a command to its end.
  /// - Parameter input: what it reads from standard input.
  static func run(
    _ arguments: [String], in folder: TemporaryFolder, input: String? = nil
  ) throws -> (status: Int32, output: String, errors: String) {
    let errors = folder.file("errors-\(UUID().uuidString)")
    var source = Source.nothing
    if let input {
      let path = folder.file("input-\(UUID().uuidString)")
      try Data(input.utf8).write(to: URL(fileURLWithPath: path))
      source = .file(path)
    }
    let child = try spawn(arguments, input: source, errors: errors)
    do {
      let deadline = Deadline()
      var output: [UInt8] = []
      while let bytes = try read(from: child.output, deadline) { output += bytes }
      let status = try waitForExit(child, deadline)
      return (status, String(decoding: output, as: UTF8.self), contents(errors))
    } catch {
      killAndReap(child)
      throw error
    }
  }

  /// Where a process's standard input comes from.
  enum Source {
    case nothing
    case file(String)
    /// The terminal of this path is its input, its output and its errors, and the terminal of a session of its own. The child's `output` is then
    /// at its end.
    case terminal(String)
  }

  static func spawn(
    _ arguments: [String], program: String = "martlet", input: Source = .nothing, errors: String, fileBlocks: Int? = nil,
    environment added: [String: String] = [:]
  ) throws -> Child {
    var pipe: [Int32] = [0, 0]
    guard Foundation.pipe(&pipe) == 0 else { throw Failure("no pipe: errno \(errno)") }
    defer { close(pipe[1]) }
    // A child that is started at the same time must not keep this one's pipe open.
    for end in pipe { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    var flags = Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)
    if case .terminal(let path) = input {
      // Who opens a terminal as the leader of a session has it for its own: Ctrl-C is then a signal for it.
      // (0x80 is glibc's POSIX_SPAWN_SETSID, which its module doesn't show.)
      flags |= 0x80
      posix_spawn_file_actions_addopen(&actions, 0, path, O_RDWR, 0)
      for descriptor: Int32 in 1...2 { posix_spawn_file_actions_adddup2(&actions, 0, descriptor) }
    } else {
      let path = if case .file(let path) = input { path } else { "/dev/null" }
      posix_spawn_file_actions_addopen(&actions, 0, path, O_RDONLY, 0)
      posix_spawn_file_actions_adddup2(&actions, pipe[1], 1)
      posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    }
    #if os(Linux)
      // NIO's sockets of this process would be inherited: then their connections would stay open when this process closes them.
      for descriptor in 3..<Int32(min(1_024, sysconf(Int32(_SC_OPEN_MAX)))) { posix_spawn_file_actions_addclose(&actions, descriptor) }
    #endif
    // The test's own process may ignore or block signals; the server starts with the system's defaults.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    var all = sigset_t()
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setflags(&attributes, flags)

    var command = [try path(of: program)] + arguments
    if let fileBlocks {
      // The signal that comes with the limit is ignored, so that the write fails as it would on a full disk.
      command = ["/bin/sh", "-c", #"trap "" XFSZ; ulimit -f \#(fileBlocks); exec "$0" "$@""#] + command
    }
    let environment = ProcessInfo.processInfo.environment.filter { $0.key != "MARTLET_ADMIN_KEY" }.merging(added) { $1 }
    let status = withCStrings(command) { argv in
      withCStrings(environment.map { "\($0.key)=\($0.value)" }) { envp in
        var processID = pid_t()
        let status = posix_spawn(&processID, command[0], &actions, &attributes, argv, envp)
        return (status, processID)
      }
    }
    guard status.0 == 0 else {
      close(pipe[0])
      throw Failure("can't start \(command[0]): errno \(status.0)")
    }
    return (status.1, pipe[0])
  }

  /// For `martlet` what `MARTLET_BINARY` says; else what lies beside the tests.
  private static func path(of program: String) throws -> String {
    if program == "martlet", let path = ProcessInfo.processInfo.environment["MARTLET_BINARY"] { return path }
    var folders = [Bundle.main.bundleURL] + Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }
    if let tests = Bundle.main.executableURL { folders.append(tests.deletingLastPathComponent()) }
    let paths = folders.map { $0.appendingPathComponent(program).path }
    guard let path = paths.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
      throw Failure("there is no executable \(program) at \(paths); build it, or name martlet's in MARTLET_BINARY")
    }
    return path
  }

  private static func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
  ) -> Result {
    var pointers = strings.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    return body(&pointers)
  }

  static func contents(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

  // MARK: Output and end

  /// Nil at the end of the output.
  private static func read(from output: Int32, _ deadline: Deadline) throws -> [UInt8]? {
    guard deadline.wait(for: POLLIN, on: output) else { throw Failure("the process said nothing more, and did not end") }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = Foundation.read(output, &buffer, buffer.count)
    guard count > 0 else { return nil }
    return Array(buffer[..<count])
  }

  static func readLine(from output: Int32, _ deadline: Deadline) throws -> String {
    var line: [UInt8] = []
    while line.last != UInt8(ascii: "\n") {
      guard let bytes = try read(from: output, deadline) else { throw Failure("its output ended") }
      line += bytes
    }
    return String(decoding: line, as: UTF8.self)
  }

  /// The exit status; 128 and the signal for a process that one ended.
  static func waitForExit(_ child: Child, _ deadline: Deadline) throws -> Int32 {
    // The process alone holds the other end of its output: that it is closed tells of its end, and can be waited for
    // with a deadline.
    while try read(from: child.output, deadline) != nil {}
    return reap(child)
  }

  static func killAndReap(_ child: Child) {
    kill(child.processID, SIGKILL)
    _ = reap(child)
  }

  private static func reap(_ child: Child) -> Int32 {
    close(child.output)
    var status: Int32 = 0
    while waitpid(child.processID, &status, 0) == -1, errno == EINTR {}
    let signal = status & 0x7f
    return signal == 0 ? (status >> 8) & 0xff : 128 + signal
  }
}
