import Foundation

/// Takes texts, each at once: there is no buffer, so that `subscribe | head` gets a line when there is one.
struct TextSink: Sendable {
  /// Throws `OutputClosed` when nobody reads any more, and `OutputFailed` when the system can't write.
  let write: @Sendable (String) throws -> Void
  /// The same with bytes, which a file may hold.
  var writeBytes: @Sendable (UnsafeRawBufferPointer) throws -> Void
  /// Whether nobody reads any more, without writing.
  let isClosed: @Sendable () -> Bool

  init(write: @escaping @Sendable (String) throws -> Void, isClosed: @escaping @Sendable () -> Bool = { false }) {
    self.write = write
    writeBytes = { try write(String(decoding: $0, as: UTF8.self)) }
    self.isClosed = isClosed
  }

  static func file(_ descriptor: Int32) -> TextSink {
    var sink = TextSink(
      write: { text in
        var text = text
        try text.withUTF8 { try write(UnsafeRawBufferPointer($0), to: descriptor) }
      },
      isClosed: {
        var state = pollfd(fd: descriptor, events: 0, revents: 0)
        return poll(&state, 1, 0) == 1 && state.revents & Int16(POLLERR) != 0
      })
    sink.writeBytes = { try write($0, to: descriptor) }
    return sink
  }

  static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) throws {
    var rest = bytes
    while !rest.isEmpty {
      let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
      if count >= 0 {
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      } else if errno == EPIPE {
        throw OutputClosed()
      } else if errno != EINTR {
        throw OutputFailed(number: errno)
      }
    }
  }

  /// Returns when nobody reads any more. A command that waits for the server would otherwise notice only at its next line.
  func waitUntilClosed() async throws {
    while !isClosed() { try await Task.sleep(for: .milliseconds(200)) }
  }
}

/// Who read the output has gone: a reason to end, and none to complain.
struct OutputClosed: Error {}

struct OutputFailed: Error, CustomStringConvertible {
  var number: Int32
  var description: String { "can't write the output: \(String(cString: strerror(number)))" }
}
