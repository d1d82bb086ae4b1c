import Glibc

/// A plain blocking socket with a line reader, for setting up and checking: never for what is measured under load.
final class BlockingConnection {
  let socket: Int32
  private var buffer: [UInt8] = []
  private var position = 0
  private var chunk = [UInt8](repeating: 0, count: 65_536)

  private let patienceSeconds: Int

  /// Every read gives up after `patienceSeconds`.
  init(port: UInt16, patienceSeconds: Int = 60) throws {
    self.patienceSeconds = patienceSeconds
    socket = try TCP.connect(port: port)
    var limit = timeval(tv_sec: patienceSeconds, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(socket) }

  func send(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(socket, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      if count > 0 {
        sent += count
      } else if errno != EINTR {
        throw BenchmarkError("sending failed: \(String(cString: strerror(errno)))")
      }
      try Interruption.check()
    }
  }

  /// The next line, without its LF and a CR before it.
  func readLine() throws -> [UInt8] {
    while true {
      if let line = bufferedLine() { return line }
      try fill()
    }
  }

  /// The next line if it has already been received.
  func bufferedLine() -> [UInt8]? {
    let end = buffer.withUnsafeBytes { bytes -> Int? in
      guard position < bytes.count, let start = bytes.baseAddress else { return nil }
      return memchr(start + position, 10, bytes.count - position).map { UnsafeRawPointer($0) - start }
    }
    guard let end else { return nil }
    var line = Array(buffer[position..<end])
    if line.last == 13 { line.removeLast() }
    position = end + 1
    return line
  }

  func read(count: Int) throws -> [UInt8] {
    while buffer.count - position < count { try fill() }
    defer { position += count }
    return Array(buffer[position..<(position + count)])
  }

  /// Receives once; waits until there is something.
  func fill() throws {
    if position > 0 {
      buffer.removeFirst(position)
      position = 0
    }
    let count = recv(socket, &chunk, chunk.count, 0)
    try Interruption.check()
    if count > 0 {
      buffer.append(contentsOf: chunk[..<count])
    } else if count == 0 {
      throw BenchmarkError("the server closed the connection")
    } else if errno == EAGAIN {
      throw BenchmarkError("the server said nothing for \(patienceSeconds) s")
    } else if errno != EINTR {
      throw BenchmarkError("receiving failed: \(String(cString: strerror(errno)))")
    }
  }
}
