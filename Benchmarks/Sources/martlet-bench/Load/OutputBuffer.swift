import Glibc

/// Bytes waiting to be sent on one connection: requests are appended as replies come in, and leave in one `send`.
struct OutputBuffer: ~Copyable {
  // Sound: the buffer owns this allocation alone, frees it once, and checks the capacity before every write.
  private var base: UnsafeMutableRawPointer
  private var capacity: Int
  private var start = 0
  private var end = 0

  init(capacity: Int = 16_384) {
    base = malloc(capacity)
    self.capacity = capacity
  }

  deinit { free(base) }

  var isEmpty: Bool { start == end }

  @inline(__always)
  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    reserve(bytes.count)
    if let source = bytes.baseAddress { memcpy(base + end, source, bytes.count) }
    end += bytes.count
  }

  @inline(__always)
  mutating func append(_ text: StaticString) {
    append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  @inline(__always)
  mutating func append(decimal value: Int) {
    reserve(20)
    var digits = 1
    var limit = 10
    while value >= limit { digits += 1; limit *= 10 }
    var rest = value
    for index in stride(from: digits - 1, through: 0, by: -1) {
      base.storeBytes(of: UInt8(48 + rest % 10), toByteOffset: end + index, as: UInt8.self)
      rest /= 10
    }
    end += digits
  }

  /// Sends what it can without waiting. False when the socket took only a part of it.
  mutating func flush(to socket: Int32) throws -> Bool {
    while start < end {
      let sent = send(socket, base + start, end - start, Int32(MSG_NOSIGNAL))
      if sent > 0 {
        start += sent
      } else if errno == EAGAIN {
        return false
      } else if errno != EINTR {
        throw BenchmarkError("sending failed: \(String(cString: strerror(errno)))")
      }
    }
    start = 0
    end = 0
    return true
  }

  @inline(__always)
  private mutating func reserve(_ count: Int) {
    if end + count > capacity { grow(by: count) }
  }

  @inline(never)
  private mutating func grow(by count: Int) {
    capacity = max(capacity * 2, end + count)
    base = realloc(base, capacity)
  }
}
