import Foundation
import MartletValues

/// A connection as a person with `nc` has it: bytes out, lines in, nothing understood by itself.
///
/// It is used by one thread, and a test that needs many connections turns them in one loop. Waiting ends at a deadline.
final class RawClient {
  private let descriptor: Int32
  private var received: [UInt8] = []
  private var start = 0
  private(set) var isAtEnd = false
  private var isClosed = false
  /// Messages that came while another was awaited, in their order.
  private var passedOver: [ServerMessage] = []
  private var lastID = 0

  /// - Parameter receiveBufferBytes: how much the system keeps for a client that doesn't read; left to it if nil.
  init(port: Int, receiveBufferBytes: Int32? = nil) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Failure("no socket: errno \(errno)") }
    if var bytes = receiveBufferBytes {
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port).bigEndian)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let status = withUnsafePointer(to: &address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    // `deinit` closes it.
    guard status == 0 else { throw Failure("can't connect to port \(port): errno \(errno)") }
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    var yes: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
  }

  deinit { close() }

  // MARK: Sending

  func send(_ lines: String...) throws { try send(lines) }
  func send(_ lines: [String]) throws { try send(bytes: Array((lines.joined(separator: "\n") + "\n").utf8)) }

  /// Sends all of it. What the server says meanwhile is taken in, so that neither side waits for the other.
  /// - Parameter isReading: false for a client that doesn't read.
  func send(bytes: [UInt8], isReading: Bool = true, _ deadline: Deadline = Deadline()) throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count >= 0 {
        sent += count
        continue
      }
      guard errno == EAGAIN || errno == EINTR else { throw Failure("the server closed while \(bytes.count) bytes were sent") }
      let events = isReading && !isAtEnd ? POLLOUT | POLLIN : POLLOUT
      guard deadline.wait(for: events, on: descriptor) else { throw Failure("the server took no more bytes") }
      if isReading { takeIn() }
    }
  }

  /// The end of what this client says; it still listens.
  func closeWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Closes, with all that is on its way in either direction lost.
  func reset() {
    var now = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
    close()
  }

  func close() {
    guard !isClosed else { return }
    isClosed = true
    Foundation.close(descriptor)
  }

  // MARK: Receiving

  /// Takes in what is there, without waiting.
  func takeIn() {
    while !isAtEnd {
      let count = withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { buffer in
        let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
        if count > 0 { received.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
        return count
      }
      if count > 0 { continue }
      if count < 0, errno == EINTR { continue }
      // A reset ends a connection too: what came before it has been read.
      if count == 0 || errno != EAGAIN { isAtEnd = true }
      return
    }
  }

  /// A line that is here already, without its LF.
  func takeLine() -> String? {
    let length = received.withUnsafeBytes { bytes -> Int? in
      guard start < bytes.count, let first = bytes.baseAddress.map({ $0 + start }),
        let end = memchr(first, 0x0A, bytes.count - start)
      else { return nil }
      return UnsafeRawPointer(end) - first
    }
    guard let length else { return nil }
    let line = String(decoding: received[start..<(start + length)], as: UTF8.self)
    start += length + 1
    if start == received.count {
      received.removeAll(keepingCapacity: true)
      start = 0
    }
    return line
  }

  /// The next line; nil at the end of the connection.
  func readLine(_ deadline: Deadline = Deadline()) throws -> String? {
    while true {
      if let line = takeLine() { return line }
      if isAtEnd {
        guard start == received.count else { throw Failure("the connection ended within a line") }
        return nil
      }
      guard deadline.wait(for: POLLIN, on: descriptor) else { throw Failure("no line came in time") }
      takeIn()
    }
  }

  /// The whole lines that are still to come; a piece of one at the end is dropped. For a server that was killed.
  func wholeLinesToTheEnd(_ deadline: Deadline = Deadline()) -> [String] {
    var lines: [String] = []
    while let line = try? readLine(deadline) { lines.append(line) }
    return lines
  }

  /// Waits until one of the clients has something to be read, or is at its end.
  static func wait(for clients: [RawClient], _ deadline: Deadline = Deadline()) throws {
    var descriptors = clients.filter { !$0.isAtEnd }
      .map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
    guard deadline.wait(for: &descriptors) else { throw Failure("no line came in time on \(clients.count) connections") }
    for client in clients { client.takeIn() }
  }

  /// Waits until one of the clients has something to be read, or for some milliseconds: for a loop that has something else to do as well.
  static func waitBriefly(for clients: [RawClient]) {
    var descriptors = clients.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
    poll(&descriptors, nfds_t(descriptors.count), 5)
  }

  // MARK: Messages

  /// The next message, of those that were passed over first.
  func next(_ deadline: Deadline = Deadline()) throws -> ServerMessage {
    if !passedOver.isEmpty { return passedOver.removeFirst() }
    return try nextFromSocket(deadline)
  }

  private func nextFromSocket(_ deadline: Deadline) throws -> ServerMessage {
    guard let line = try readLine(deadline) else { throw Failure("the server closed the connection") }
    return try ServerMessage(line)
  }

  /// All messages up to the connection's end.
  func rest(_ deadline: Deadline = Deadline()) throws -> [ServerMessage] {
    var messages = passedOver
    passedOver = []
    while let line = try readLine(deadline) { messages.append(try ServerMessage(line)) }
    return messages
  }

  /// The messages up to the first that `isLast` holds for, with it.
  func messages(_ deadline: Deadline = Deadline(), until isLast: (ServerMessage) -> Bool) throws -> [ServerMessage] {
    var messages: [ServerMessage] = []
    while true {
      let message: ServerMessage
      do { message = try next(deadline) } catch {
        throw Failure("\(error), after \(messages.suffix(3).map { $0.line.prefix(300) })")
      }
      messages.append(message)
      if isLast(message) { return messages }
    }
  }

  /// The answer to a request. What else comes before it can be read afterwards, with `next`.
  func answer(to id: String, _ deadline: Deadline = Deadline()) throws -> ServerMessage {
    let isAnswer = { (message: ServerMessage) in (message.verb == .ok || message.verb == .error) && message.id == id }
    if let index = passedOver.firstIndex(where: isAnswer) { return passedOver.remove(at: index) }
    while true {
      let message: ServerMessage
      do { message = try nextFromSocket(deadline) } catch { throw Failure("\(error) while \(id) was to be answered") }
      if isAnswer(message) { return message }
      passedOver.append(message)
    }
  }

  /// Sends a request under an id of its own, and waits for its answer.
  func request(_ verb: String, _ function: String, _ arguments: Value = [:]) throws -> ServerMessage {
    lastID += 1
    try send("\(verb) r\(lastID) \(function) \(arguments.json)")
    return try answer(to: "r\(lastID)")
  }

  func query(_ function: String, _ arguments: Value = [:]) throws -> Value {
    try request("query", function, arguments).okValue
  }

  @discardableResult
  func mutate(_ function: String, _ arguments: Value = [:]) throws -> Value {
    try request("mutation", function, arguments).okValue
  }

  /// All documents of a table, page by page.
  func allDocuments(_ table: String) throws -> [Value] {
    var documents: [Value] = []
    var cursor: Value?
    while true {
      var arguments: ObjectValue = ["table": .string(table), "limit": 2_000]
      if let cursor { arguments["cursor"] = cursor }
      let page = try query("_system:documents", .object(arguments))
      documents += page["page"]?.elements ?? []
      if page["isDone"] == true { return documents }
      cursor = page["continueCursor"]
    }
  }
}
