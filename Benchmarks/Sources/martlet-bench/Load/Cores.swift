import CLinux
import Glibc

/// Which core the server under test runs on, and which one the load generator.
///
/// Left to itself the kernel moves both between cores, and a run then measures its luck. A child inherits the core of
/// the thread that starts it, and so do all of its threads (those on which Redis syncs its log, too), so that no `taskset` is
/// needed: the effect is that of `taskset -c 0 <server>` and `taskset -c 1 martlet-bench`.
struct Cores {
  var server: Int
  var client: Int

  /// Nil on a machine with one core, where there is nothing to separate.
  init?(server: Int, client: Int) {
    guard sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1 else { return nil }
    self.server = server
    self.client = client
  }

  /// Moves the calling thread to a core; throws when the machine doesn't have it or doesn't give it to this process.
  static func pin(to core: Int) throws {
    let status = clinux_pin_to_core(Int32(core))
    guard status == 0 else { throw BenchmarkError("core \(core) can't be used: \(String(cString: strerror(status)))") }
  }
}

/// Processor time used so far, in nanoseconds: whether a figure is the server's limit or the generator's is read from it.
enum ProcessorTime {
  static func ofThisProcess() -> UInt64 {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let seconds = UInt64(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
    let microseconds = UInt64(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
    return seconds * 1_000_000_000 + microseconds * 1_000
  }

  /// How long the calling thread was ready to run and something else had its core. On a core of its own that is always some other
  /// process of the machine: a measure of how much a run was disturbed.
  static func waitedByThisThread() -> UInt64 {
    let fields = contents(of: "/proc/thread-self/schedstat").split(separator: " ")
    return fields.count > 1 ? UInt64(fields[1]) ?? 0 : 0
  }

  /// User and system time of all threads of a process, in steps of 10 ms; 0 when it is gone.
  static func of(process: pid_t) -> UInt64 {
    let text = contents(of: "/proc/\(process)/stat")
    // The command's name stands in parentheses and can hold blanks: fields are counted from behind it.
    guard let end = text.lastIndex(of: ")") else { return 0 }
    let fields = text[text.index(after: end)...].split(separator: " ")
    guard fields.count > 12, let user = UInt64(fields[11]), let system = UInt64(fields[12]) else { return 0 }
    return (user + system) * (1_000_000_000 / UInt64(sysconf(Int32(_SC_CLK_TCK))))
  }

  /// The first KB of a file of `/proc`; empty when there is none.
  private static func contents(of path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1024)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}
