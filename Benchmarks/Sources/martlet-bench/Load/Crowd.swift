import CLinux
import Glibc

/// Many connections that mostly listen: what each of them is sent is looked at as a whole, and only for whether it has come.
///
/// One thread and one epoll, as the load generator's. What one `recv` takes in is mostly all there is, and is then looked at where it lies.
final class Crowd {
  private(set) var sockets: [Int32] = []
  private let port: UInt16
  private let epoll: Int32
  /// What has come in part.
  private var parts: [[UInt8]] = []
  private var chunk = [UInt8](repeating: 0, count: 1 << 18)
  /// Who isn't read from.
  private var stalled: Set<Int> = []
  /// What those who are still connecting say when they are connected.
  private var greetings: [Int: [UInt8]] = [:]

  private static let patienceNanoseconds: UInt64 = 60_000_000_000

  init(port: UInt16, count: Int) throws {
    self.port = port
    epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    for _ in 0..<count { try join() }
  }

  deinit {
    for socket in sockets { close(socket) }
    close(epoll)
  }

  var count: Int { sockets.count }

  /// One connection more.
  func join() throws {
    let socket = try TCP.connect(port: port)
    sockets.append(socket)
    parts.append([])
    try TCP.setNonBlocking(socket)
    try watch(sockets.count - 1, EPOLL_CTL_ADD)
  }

  /// Many connections more, at once: each is begun without waiting for the one before, and speaks as soon as it is there. They are made while `wait`
  /// waits; one that can't be made, or is refused, fails that.
  func join(_ count: Int, saying greeting: (_ index: Int) -> [UInt8]) throws {
    for _ in 0..<count {
      let index = sockets.count
      sockets.append(try TCP.beginConnecting(port: port))
      parts.append([])
      greetings[index] = greeting(index)
      try watch(index, EPOLL_CTL_ADD, EPOLLOUT)
    }
  }

  private func greet(_ index: Int, _ greeting: [UInt8]) throws {
    try TCP.finishConnecting(sockets[index])
    try send(greeting, to: index)
    greetings[index] = nil
    try watch(index, EPOLL_CTL_MOD)
  }

  private func watch(_ index: Int, _ operation: Int32, _ events: EPOLL_EVENTS = EPOLLIN) throws {
    var event = epoll_event()
    event.events = events.rawValue
    event.data.u64 = UInt64(index)
    guard epoll_ctl(epoll, operation, sockets[index], &event) == 0 else {
      throw BenchmarkError("epoll: \(String(cString: strerror(errno)))")
    }
  }

  /// Reads no more from a connection.
  func stall(_ index: Int) throws {
    stalled.insert(index)
    try watch(index, EPOLL_CTL_DEL)
  }

  /// A few bytes, which a socket that mostly listens has room for.
  func send(_ bytes: [UInt8], to index: Int) throws {
    guard Glibc.send(sockets[index], bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
      throw BenchmarkError("sending failed: \(String(cString: strerror(errno)))")
    }
  }

  /// Waits until everyone who is read from has been sent something that `isComplete`. Gives when each of them had it, in order.
  func wait(until isComplete: (UnsafeRawBufferPointer) -> Bool) throws -> [UInt64] {
    var times: [UInt64] = []
    let missing = count - stalled.count
    times.reserveCapacity(missing)
    var done = [Bool](repeating: false, count: count)
    var events = [epoll_event](repeating: epoll_event(), count: 1_024)
    let begin = Clock.nowNanoseconds()
    while times.count < missing {
      let ready = Int(epoll_wait(epoll, &events, Int32(events.count), 100))
      try Interruption.check()
      guard Clock.nowNanoseconds() - begin < Self.patienceNanoseconds else {
        throw BenchmarkError("\(missing - times.count) of \(missing) connections were not served within 60 s")
      }
      for event in events[..<max(0, ready)] {
        let index = Int(event.data.u64)
        if !greetings.isEmpty, let greeting = greetings[index] {
          try greet(index, greeting)
          continue
        }
        guard try take(from: index, isComplete) else { continue }
        guard !done[index] else { throw BenchmarkError("a connection was sent the same thing twice") }
        done[index] = true
        times.append(Clock.nowNanoseconds())
      }
    }
    return times
  }

  /// Waits until the server has ended every connection, and leaves them. What it says before is passed over.
  func waitForEnds() throws {
    let begin = Clock.nowNanoseconds()
    for (number, socket) in sockets.enumerated() {
      while true {
        let count = recv(socket, &chunk, chunk.count, 0)
        if count == 0 || (count < 0 && errno == ECONNRESET) { break }
        try Interruption.check()
        guard Clock.nowNanoseconds() - begin < Self.patienceNanoseconds else {
          throw BenchmarkError("connection \(number) of \(self.count) did not end within 60 s")
        }
        if count < 0 {
          var event = epoll_event()
          epoll_wait(epoll, &event, 1, 10)
        }
      }
      close(socket)
    }
    sockets = []
    parts = []
  }

  private func take(from index: Int, _ isComplete: (UnsafeRawBufferPointer) -> Bool) throws -> Bool {
    let count = recv(sockets[index], &chunk, chunk.count, 0)
    guard count > 0 else {
      if count < 0, errno == EAGAIN || errno == EINTR { return false }
      throw BenchmarkError(count == 0 ? "the server closed a connection" : "receiving failed: \(String(cString: strerror(errno)))")
    }
    if parts[index].isEmpty, chunk.withUnsafeBytes({ isComplete(UnsafeRawBufferPointer(rebasing: $0[..<count])) }) { return true }
    parts[index] += chunk[..<count]
    guard parts[index].withUnsafeBytes(isComplete) else { return false }
    parts[index] = []
    return true
  }
}

extension UnsafeRawBufferPointer {
  /// Whether these bytes end with a line feed, and hold the text.
  func isWhole(holding text: [UInt8]) -> Bool {
    guard last == UInt8(ascii: "\n") else { return false }
    return clinux_contains(baseAddress, UInt(count), text, UInt(text.count)) != 0
  }
}

/// What a process occupies in memory, in bytes.
enum ResidentMemory {
  /// Without the pages of files, which are the program's own code.
  static func anonymous(of process: pid_t) -> Int { all(process).map { $0.resident - $0.shared } ?? 0 }

  static func of(process: pid_t) -> Int { all(process)?.resident ?? 0 }

  private static func all(_ process: pid_t) -> (resident: Int, shared: Int)? {
    guard let file = fopen("/proc/\(process)/statm", "r") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = fread(&bytes, 1, bytes.count, file)
    let fields = String(decoding: bytes[..<count], as: UTF8.self).split(separator: " ")
    guard fields.count > 2, let resident = Int(fields[1]), let shared = Int(fields[2]) else { return nil }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    return (resident * page, shared * page)
  }
}
