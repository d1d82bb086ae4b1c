import Foundation
import Testing

@testable import martlet_bench

/// A listening socket, served by a thread: who connects, says a line and is answered as the test likes.
private final class Listener: Sendable {
  let port: UInt16
  private let descriptor: Int32

  init() throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = bind(descriptor, $0, length)
        listen(descriptor, 100)
        getsockname(descriptor, $0, &length)
      }
    }
    self.descriptor = descriptor
    port = UInt16(bigEndian: address.sin_port)
  }

  deinit { close(descriptor) }

  /// Takes so many connections, reads a line of each, and answers it; closes all when it is told to.
  func serve(_ count: Int, until end: DispatchSemaphore, _ answer: @escaping @Sendable (String) -> String) {
    Thread.detachNewThread {
      var connections: [Int32] = []
      for _ in 0..<count {
        let connection = accept(self.descriptor, nil, nil)
        var buffer = [UInt8](repeating: 0, count: 1_000)
        let length = max(0, recv(connection, &buffer, buffer.count, 0))
        let bytes = Array(answer(String(decoding: buffer[..<length], as: UTF8.self)).utf8)
        send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        connections.append(connection)
      }
      end.wait()
      for connection in connections { close(connection) }
    }
  }
}

@Suite("Crowds")
struct CrowdTests {
  private static let synced = Array("synced ".utf8)

  @Test("Who comes at once says its own line, is served, and sees its connection end")
  func served() throws {
    let listener = try Listener()
    let crowd = try Crowd(port: listener.port, count: 0)
    for _ in 0..<2 {
      let end = DispatchSemaphore(value: 0)
      listener.serve(50, until: end) { "update \($0)synced 1\n" }
      let begin = Clock.nowNanoseconds()
      try crowd.join(50) { Array("line \($0)\n".utf8) }
      let times = try crowd.wait { $0.isWhole(holding: Array("update line ".utf8)) && $0.isWhole(holding: Self.synced) }
      #expect(times.count == 50 && times == times.sorted() && times[0] > begin)
      end.signal()
      try crowd.waitForEnds()
      #expect(crowd.count == 0)
    }
  }

  @Test("Whoever is refused fails it, and so does a connection that ends without its answer")
  func refused() throws {
    let crowd = try Crowd(port: TCP.freePort(), count: 0)
    #expect(throws: BenchmarkError.self) {
      try crowd.join(10) { _ in Array("line\n".utf8) }
      _ = try crowd.wait { $0.isWhole(holding: Self.synced) }
    }
    let listener = try Listener()
    let other = try Crowd(port: listener.port, count: 0)
    let end = DispatchSemaphore(value: 0)
    end.signal()
    listener.serve(2, until: end) { $0 == "line 1\n" ? "nothing\n" : "synced 1\n" }
    try other.join(2) { Array("line \($0)\n".utf8) }
    #expect(throws: BenchmarkError.self) { _ = try other.wait { $0.isWhole(holding: Self.synced) } }
  }
}
