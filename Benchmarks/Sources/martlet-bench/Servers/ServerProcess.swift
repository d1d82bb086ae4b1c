import FoundationEssentials
import Glibc

/// A server that this tool started: pinned to the server's core, with data of its own in a directory that goes when it ends.
///
/// It is started by `posix_spawn`, so that its process id is its own and nothing else is ever signalled. What it prints goes to a file
/// beside its data; the end of it is shown when the server doesn't come up.
final class ServerProcess {
  let name: String
  private(set) var id: pid_t
  let port: UInt16
  let directory: String
  private let executable: String
  private let arguments: [String]
  private let cores: Cores?
  /// True also before it has begun: then there is nothing to end.
  private var hasEnded = true

  private static let startLimitNanoseconds: UInt64 = 30_000_000_000
  private static let stopLimitNanoseconds: UInt64 = 15_000_000_000

  /// Starts the executable and waits until its port takes a connection.
  init(name: String, executable: String, arguments: [String], port: UInt16, directory: String, cores: Cores?) throws {
    self.name = name
    self.port = port
    self.directory = directory
    self.executable = executable
    self.arguments = arguments
    self.cores = cores
    id = 0
    try start()
  }

  /// Ends the process as `stop` does, and starts another on the same data and port.
  func restart() throws {
    stop(removingData: false)
    try start()
  }

  /// After `stop(removingData: false)`: returns when its port takes a connection, which may be before it can answer.
  func start() throws {
    let logPath = directory + "/\(name).log"

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, logPath, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)

    var argumentPointers: [UnsafeMutablePointer<CChar>?] = ([executable] + arguments).map { strdup($0) } + [nil]
    defer { argumentPointers.forEach { free($0) } }
    var child: pid_t = 0
    if let cores { try Cores.pin(to: cores.server) }
    let status = posix_spawn(&child, executable, &actions, nil, &argumentPointers, environ)
    if let cores { try Cores.pin(to: cores.client) }
    guard status == 0 else { throw BenchmarkError("\(executable) can't be started: \(String(cString: strerror(status)))") }
    id = child
    hasEnded = false

    do {
      try waitUntilListening()
    } catch {
      stop(removingData: false)
      let log = (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? ""
      try? FileManager.default.removeItem(atPath: directory)
      throw BenchmarkError("\(error)\n\(log.suffix(2_000))")
    }
  }

  deinit { stop(removingData: true) }

  /// Stops its threads where they are. While one server is measured the other one is paused, so that nothing it does in the
  /// background (a checkpoint, a write-back of its own) is paid for by its neighbour.
  func pause() { kill(id, SIGSTOP) }

  func resume() { kill(id, SIGCONT) }

  /// Whether it still runs; one that crashed during a measurement is noticed here.
  func check() throws {
    guard !hasEnded else { throw BenchmarkError("\(name) has ended") }
    var status: Int32 = 0
    if waitpid(id, &status, WNOHANG) == id {
      hasEnded = true
      throw BenchmarkError("\(name) has ended by itself (wait status \(status))")
    }
  }

  /// SIGTERM, and SIGKILL when it takes no notice of that for 15 s. Waits for its end, then removes its data.
  func stop(removingData: Bool = true) {
    if !hasEnded {
      resume()
      kill(id, SIGTERM)
      let deadline = Clock.nowNanoseconds() + Self.stopLimitNanoseconds
      var status: Int32 = 0
      while waitpid(id, &status, WNOHANG) == 0 {
        if Clock.nowNanoseconds() > deadline {
          kill(id, SIGKILL)
          waitpid(id, &status, 0)
          break
        }
        usleep(2_000)
      }
      hasEnded = true
    }
    if removingData { try? FileManager.default.removeItem(atPath: directory) }
  }

  private func waitUntilListening() throws {
    let deadline = Clock.nowNanoseconds() + Self.startLimitNanoseconds
    while true {
      try Interruption.check()
      try check()
      if let socket = try? TCP.connect(port: port) {
        close(socket)
        return
      }
      guard Clock.nowNanoseconds() < deadline else {
        throw BenchmarkError("\(name) didn't listen on port \(port) within 30 s")
      }
      usleep(1_000)
    }
  }
}

/// Where servers put their data, and where executables are found.
enum Places {
  /// A new directory below `parent`. Refuses a file system in memory: syncing to it costs nothing, and a durable commit would look free.
  static func makeDataDirectory(in parent: String, for name: String) throws -> String {
    guard let resolved = realpath(parent, nil) else {
      throw BenchmarkError("\(parent): \(String(cString: strerror(errno))); give another directory with --data")
    }
    defer { free(resolved) }
    let type = fileSystem(of: String(cString: resolved))
    guard type != "tmpfs", type != "ramfs" else {
      throw BenchmarkError("\(parent) is in memory (tmpfs), where a sync costs nothing; give a directory on a disk with --data")
    }
    var template = Array("\(parent)/martlet-bench-\(name)-XXXXXX".utf8CString)
    guard let path = mkdtemp(&template) else {
      throw BenchmarkError("\(parent): \(String(cString: strerror(errno)))")
    }
    return String(cString: path)
  }

  /// The type of the file system that holds a resolved path: that of the longest mount point above it.
  private static func fileSystem(of path: String) -> String {
    let mounts = (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? ""
    var best = (length: 0, type: "")
    for line in mounts.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 2 else { continue }
      let point = fields[1]
      let isAbove = point == "/" || path == point || path.hasPrefix(point + "/")
      if isAbove, point.count >= best.length { best = (point.count, String(fields[2])) }
    }
    return best.type
  }

  /// An executable by path, or by name along PATH.
  static func executable(_ name: String) -> String? {
    if name.contains("/") { return access(name, X_OK) == 0 ? name : nil }
    let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
    return path.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
  }

  /// The release build of `martlet` in the checkout that this tool was built in, whether or not it is there.
  static func siblingMartlet() -> String {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    let own = String(decoding: buffer[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let components = own.split(separator: "/")
    guard let benchmarks = components.lastIndex(of: "Benchmarks") else { return "../.build/release/martlet" }
    return "/" + components[..<benchmarks].joined(separator: "/") + "/.build/release/martlet"
  }
}
