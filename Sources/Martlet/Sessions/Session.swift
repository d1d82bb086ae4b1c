import MartletWire

/// One connection, as the engine knows it: its requests, its subscriptions, and what is on its way out.
///
/// It belongs to the engine and is used on the engine's thread only. It speaks the line protocol, but knows no sockets:
/// a `SessionTransport` carries its bytes.
///
/// Order (promise 1): a mutation that is short has run before the next line is looked at. While a longer one runs beside
/// the engine's thread, the session's later mutations wait in `queuedMutations`; its queries don't.
final class Session {
  let id: SessionID
  let transport: any SessionTransport
  var identity = Identity.anonymous
  var name: String
  var wantsLogs = false
  var splitter: LineSplitter
  var outbound = OutboundQueue()

  /// Requests that were not answered at once, by their ids.
  var pending: [String: PendingRequest] = [:]
  var subscriptions: [String: Subscription] = [:]
  /// In the order in which they were made: the order of `update` lines.
  var subscriptionOrder: ContiguousArray<Subscription> = []

  var runningMutation: String?
  var queuedMutations: ContiguousArray<QueuedMutation> = []

  var publication = Publication.current
  /// A mutation was answered since the last `synced`: another is owed, even if no value changed (promise 4).
  var owesSynced = false
  var isToPublish = false
  var hasGreeted = false
  var isReading = true
  private(set) var isClosed = false
  /// The client said `bye`, or closed its side: what is in flight is answered, then the session ends.
  var closing: WireError??

  struct QueuedMutation {
    var id: String
    var function: FunctionDefinition
    var arguments: [UInt8]
  }

  enum PendingRequest {
    case query
    case queuedMutation
    case mutation
    case action(ActionID)
  }

  /// Where a session stands in telling its subscriptions' values.
  enum Publication {
    /// All that it was told is told.
    case current
    /// Some of its queries run beside the engine's thread, on the snapshot of `timestamp`. The others' values at that
    /// snapshot are kept, so that all are told together (promise 3).
    case awaiting(timestamp: UInt64, values: [Told], missing: Set<LiveQueryID>)
  }

  struct Told {
    let subscription: Subscription
    let result: LiveResult
    let version: UInt64
  }

  init(id: SessionID, transport: any SessionTransport, name: String, maximumLineBytes: Int) {
    self.id = id
    self.transport = transport
    self.name = name
    splitter = LineSplitter(maxLineBytes: maximumLineBytes)
  }

  func isActive(_ id: String) -> Bool { pending[id] != nil || subscriptions[id] != nil }

  // MARK: Output

  /// Appends output that depends on the engine's head.
  func tell(_ engine: isolated Engine, _ write: (inout JSONWriter) -> Void) {
    guard !isClosed else { return }
    let gate = engine.gate
    if gate != 0, !outbound.holds(gate) { engine.wait(.session(self)) }
    outbound.append(dependingOn: gate, write)
  }

  /// Sends what may leave.
  func flush() {
    guard !isClosed else { return }
    outbound.takeReady { transport.send($0) }
  }

  func release(upTo batch: UInt64) {
    outbound.release(upTo: batch)
    flush()
  }

  /// The commits that held output depends on are gone: each request among it gets an error, and no update is told.
  func storageFailed() {
    let lines = outbound.takeHeld()
    outbound.append(dependingOn: 0) { writer in
      for line in lines.split(separator: UInt8(ascii: "\n")) {
        let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
        switch words.first.map({ String(decoding: $0, as: UTF8.self) }) {
        case "ok": writer.writeErrorLine(id: String(decoding: words[1], as: UTF8.self), Engine.storageFailure)
        case "update", "failed", "synced": break
        default:
          writer.write(raw: [UInt8](line))
          writer.write(byte: UInt8(ascii: "\n"))
        }
      }
    }
    for subscription in subscriptionOrder { subscription.forgetSent() }
    flush()
  }

  func markClosed() { isClosed = true }
}
