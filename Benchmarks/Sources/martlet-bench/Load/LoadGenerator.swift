import CLinux
import Glibc

/// How hard and how long a server is asked.
struct Load {
  enum Length {
    case seconds(warmUp: Double, measured: Double)
    /// Each connection issues this many requests; all of them are measured.
    case requestsPerConnection(Int)
  }

  var connections: Int
  /// Requests in flight on each connection: the next one is issued when one of them is answered.
  var inFlight: Int
  var length: Length
}

/// What a run gave. Outcomes count all its requests; the rest only those answered within the measured time.
struct LoadResult {
  var requests: UInt64 = 0
  var elapsedNanoseconds: UInt64 = 0
  var latencies = Histogram()
  var succeeded = 0
  var refused = 0
  var failed = 0
  /// The first few failed replies, as they came.
  var failures: [String] = []
  /// The share of the measured time in which the generator, and the server, had a processor. Near 1 for the generator means that
  /// the figure is the generator's limit, not the server's.
  var clientProcessorShare = 0.0
  var serverProcessorShare = 0.0
  /// The share in which the generator waited for its own core: some other process had it, and probably the server's as well.
  var disturbedShare = 0.0

  var requestsPerSecond: Double {
    elapsedNanoseconds == 0 ? 0 : Double(requests) * 1e9 / Double(elapsedNanoseconds)
  }
}

/// A closed-loop load generator for any server that answers requests on a socket.
///
/// **The problem.** A server that answers a million requests a second leaves its client a microsecond for each of its own. With a task
/// for each connection the client would be what is measured.
///
/// **The way taken.** One thread, one epoll, and the same loop for every protocol: what differs, the `Conversation`, is a generic
/// parameter and inlined. For each socket that can be read there is one `recv`, which takes in all the replies that wait; each
/// reply is found in place, and the next request is copied from parts built before the run; then one `send`. The
/// clock is read once for each `recv`: that is when these replies arrived and when the requests that follow them are issued. So latency runs
/// from the moment at which the previous request was answered, the generator's own work included, to the moment at which the reply was seen.
///
/// **Costs.** Without pipelining a request costs the generator a `recv`, a `send` and its share of an `epoll_wait`; with 16 and
/// more in flight well under a microsecond. `LoadResult.clientProcessorShare` says how near it was to its limit.
struct LoadGenerator<Talk: Conversation> {
  private let load: Load
  private var talk: Talk
  private let serverProcess: pid_t
  private var connections: [LoadConnection] = []
  private let epoll: Int32
  private var result = LoadResult()

  /// How long a server may leave everything unanswered before the run is given up.
  private static var silenceLimitNanoseconds: UInt64 { 20_000_000_000 }

  /// Runs a load against a port of this machine. Throws when the server closes a connection, says nothing for 20 s, or breaks the protocol;
  /// replies that are errors are counted, not thrown.
  static func run(_ load: Load, _ talk: Talk, port: UInt16, serverProcess: pid_t) throws -> LoadResult {
    var generator = LoadGenerator(load: load, talk: talk, serverProcess: serverProcess)
    defer { close(generator.epoll) }
    try generator.connect(port: port)
    try generator.loop()
    return generator.result
  }

  private init(load: Load, talk: Talk, serverProcess: pid_t) {
    precondition(load.connections > 0 && load.inFlight > 0)
    self.load = load
    self.talk = talk
    self.serverProcess = serverProcess
    epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
  }

  private mutating func connect(port: UInt16) throws {
    for index in 0..<load.connections {
      let connection = try LoadConnection(port: port, inFlight: load.inFlight)
      connections.append(connection)
      try watch(index, forRoom: false, operation: EPOLL_CTL_ADD)
    }
  }

  private func watch(_ index: Int, forRoom: Bool, operation: Int32) throws {
    var event = epoll_event()
    event.events = EPOLLIN.rawValue | (forRoom ? EPOLLOUT.rawValue : 0)
    event.data.u64 = UInt64(index)
    guard epoll_ctl(epoll, operation, connections[index].socket, &event) == 0 else {
      throw BenchmarkError("epoll: \(String(cString: strerror(errno)))")
    }
  }

  private mutating func loop() throws {
    var events = [epoll_event](repeating: epoll_event(), count: load.connections)
    let begin = Clock.nowNanoseconds()
    var measureFrom = begin
    var stopAt = UInt64.max
    var requestLimit = Int.max
    switch load.length {
    case .seconds(let warmUp, let measured):
      measureFrom = begin + UInt64(warmUp * 1e9)
      stopAt = measureFrom + UInt64(measured * 1e9)
    case .requestsPerConnection(let limit):
      requestLimit = limit
    }
    var window = MeasuredWindow(startNanoseconds: begin, serverProcess: serverProcess)
    var isMeasuring = measureFrom == begin
    var hasStopped = false
    var unanswered = 0
    var lastReplyAt = begin

    for (index, connection) in connections.enumerated() {
      for slot in 0..<min(load.inFlight, requestLimit) {
        talk.appendRequest(slot: slot, to: &connection.output)
        connection.issuedAt[slot] = begin
        connection.issued += 1
        unanswered += 1
      }
      try flush(index)
    }

    while unanswered > 0 {
      let ready = Int(epoll_wait(epoll, &events, Int32(events.count), 100))
      if ready <= 0 {
        try Interruption.check()
        if Clock.nowNanoseconds() - lastReplyAt > Self.silenceLimitNanoseconds {
          throw BenchmarkError("the server left \(unanswered) requests unanswered for 20 s")
        }
        continue
      }
      for eventIndex in 0..<ready {
        let index = Int(events[eventIndex].data.u64)
        let connection = connections[index]
        if connection.waitsForRoom { try flush(index) }
        guard try connection.receive() else { continue }
        let now = Clock.nowNanoseconds()
        lastReplyAt = now
        if !isMeasuring, now >= measureFrom {
          window = MeasuredWindow(startNanoseconds: now, serverProcess: serverProcess)
          isMeasuring = true
        }
        if !hasStopped, now >= stopAt {
          window.close(into: &result, at: now)
          hasStopped = true
          try Interruption.check()
        }

        while let (reply, length) = try Talk.Format.nextReply(in: connection.unread) {
          let slot = reply.slot ?? connection.nextInOrder
          guard slot < load.inFlight, connection.issuedAt[slot] != 0 else {
            throw BenchmarkError("the server answered request \(slot), which was not open")
          }
          if reply.slot == nil {
            connection.nextInOrder = slot + 1 == load.inFlight ? 0 : slot + 1
          }
          judge(reply)
          connection.consume(length)
          connection.answered += 1
          unanswered -= 1
          if isMeasuring, !hasStopped {
            result.latencies.record(now - connection.issuedAt[slot])
          }
          if !hasStopped, connection.issued < requestLimit {
            talk.appendRequest(slot: slot, to: &connection.output)
            connection.issuedAt[slot] = now
            connection.issued += 1
            unanswered += 1
          } else {
            connection.issuedAt[slot] = 0
          }
        }
        if !connection.output.isEmpty, !connection.waitsForRoom { try flush(index) }
      }
    }
    if !hasStopped { window.close(into: &result, at: lastReplyAt) }
    result.requests = result.latencies.count
  }

  @inline(__always)
  private mutating func judge(_ reply: Reply) {
    switch talk.judge(reply) {
    case .succeeded: result.succeeded &+= 1
    case .refused: result.refused &+= 1
    case .failed:
      result.failed += 1
      if result.failures.count < 5 {
        result.failures.append(String(decoding: reply.payload.prefix(500), as: UTF8.self))
      }
    }
  }

  private func flush(_ index: Int) throws {
    let connection = connections[index]
    let isBlocked = try !connection.output.flush(to: connection.socket)
    if isBlocked != connection.waitsForRoom {
      try watch(index, forRoom: isBlocked, operation: EPOLL_CTL_MOD)
      connection.waitsForRoom = isBlocked
    }
  }
}
