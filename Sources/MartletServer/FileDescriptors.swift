import Glibc

/// How many files and sockets this process may have open.
enum FileDescriptors {
  /// Raises the limit as far as it may be raised: shells give 1,024 to programs that may have a million.
  /// - Returns: the limit now.
  static func raiseLimit() -> Int {
    let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    guard getrlimit(files, &limit) == 0 else { return 1_024 }
    if limit.rlim_cur < limit.rlim_max {
      var raised = limit
      raised.rlim_cur = raised.rlim_max
      if setrlimit(files, &raised) == 0 { limit = raised }
    }
    return Int(clamping: limit.rlim_cur)
  }

  /// What is left for clients: the data file, snapshots, and connections of actions that fetch need some too.
  static func forClients(of limit: Int) -> Int { max(1, limit - min(1_000, limit / 4)) }
}
