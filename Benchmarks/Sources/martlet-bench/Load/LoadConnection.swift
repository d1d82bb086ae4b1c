import Glibc

/// One connection of the load generator: its socket, what has been received but not parsed, what waits to be sent, and when the
/// request in each slot was issued.
final class LoadConnection {
  let socket: Int32
  var output = OutputBuffer()
  var issuedAt: [UInt64]
  /// Whether epoll also watches for room to send.
  var waitsForRoom = false
  /// Requests issued so far, and requests answered so far.
  var issued = 0
  var answered = 0
  /// Where replies come in order: the slot of the next one.
  var nextInOrder = 0

  // Sound: owned by this object alone, freed once; every access lies within 0 ..< inputCapacity.
  private var input: UnsafeMutableRawPointer
  private var inputCapacity = 65_536
  private var inputStart = 0
  private var inputEnd = 0

  init(port: UInt16, inFlight: Int) throws {
    socket = try TCP.connect(port: port)
    issuedAt = Array(repeating: 0, count: inFlight)
    input = malloc(inputCapacity)
    try TCP.setNonBlocking(socket)
  }

  deinit {
    close(socket)
    free(input)
  }

  /// Reads once. False when there was nothing to read after all.
  @inline(__always)
  func receive() throws -> Bool {
    if inputEnd == inputCapacity { makeRoom() }
    let count = recv(socket, input + inputEnd, inputCapacity - inputEnd, 0)
    if count > 0 {
      inputEnd += count
      return true
    }
    if count < 0, errno == EAGAIN || errno == EINTR { return false }
    throw BenchmarkError(count == 0 ? "the server closed a connection" : "receiving failed: \(String(cString: strerror(errno)))")
  }

  @inline(__always)
  var unread: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: input + inputStart, count: inputEnd - inputStart) }

  @inline(__always)
  func consume(_ count: Int) {
    inputStart += count
    if inputStart == inputEnd {
      inputStart = 0
      inputEnd = 0
    }
  }

  /// A reply goes over the end of the buffer: its beginning moves to the front, or the buffer doubles when it is all there.
  @inline(never)
  private func makeRoom() {
    if inputStart > 0 {
      memmove(input, input + inputStart, inputEnd - inputStart)
      inputEnd -= inputStart
      inputStart = 0
    } else {
      inputCapacity *= 2
      input = realloc(input, inputCapacity)
    }
  }
}

/// Loopback sockets.
enum TCP {
  static func connect(port: UInt16) throws -> Int32 {
    try connect(port: port, SOCK_STREAM.rawValue) { $0 == 0 }
  }

  /// A connection that isn't there yet. When its socket can be written to, `finishConnecting` says whether it is.
  static func beginConnecting(port: UInt16) throws -> Int32 {
    try connect(port: port, SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue) { $0 == 0 || errno == EINPROGRESS }
  }

  static func finishConnecting(_ descriptor: Int32) throws {
    var error: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length)
    guard error == 0 else { throw BenchmarkError("can't connect: \(String(cString: strerror(error)))") }
  }

  private static func connect(port: UInt16, _ type: UInt32, isFine: (Int32) -> Bool) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(type) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw BenchmarkError("no socket: \(String(cString: strerror(errno)))") }
    var address = loopback(port: port)
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard isFine(result) else {
      let reason = String(cString: strerror(errno))
      close(descriptor)
      throw BenchmarkError("can't connect to 127.0.0.1:\(port): \(reason)")
    }
    var on: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    return descriptor
  }

  static func setNonBlocking(_ descriptor: Int32) throws {
    guard fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) == 0 else {
      throw BenchmarkError("fcntl: \(String(cString: strerror(errno)))")
    }
  }

  /// A port that was free a moment ago: the kernel doesn't give it out again at once.
  static func freePort() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    var address = loopback(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
      }
    }
    guard result == 0 else { throw BenchmarkError("no free port: \(String(cString: strerror(errno)))") }
    return UInt16(bigEndian: address.sin_port)
  }

  private static func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }
}
