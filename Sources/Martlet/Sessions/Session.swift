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
  /// When its token ends, in milliseconds since 1970, and when a timer looks for that.
  var identityEnd = Double.infinity
  var identityTimer = Double.infinity
  var name: String
  /// What the client called itself in `hello`: then its mutations may be sent again (promise 6). nil where it gave no name.
  var retryName: String?
  var mutationsSinceRemoval = 0
  var wantsLogs = false
  /// Whether its client takes patches in place of values.
  var wantsPatches = false
  var splitter: LineSplitter
  var outbound = OutboundQueue()
  /// Whole lines that were read when there was no room to answer them any more. They wait until there is: no more than what
  /// the socket held, since nothing is read meanwhile.
  var unhandled: [UInt8] = []
  /// The client closed its side while lines of it were unhandled.
  var hasInputEnded = false

  // `pending`, `subscriptions` and `queuedMutations` are looked at for every line. Nothing is called while one of them is changed, so that isn't checked at run time.

  /// Requests that were not answered at once, by their ids.
  @exclusivity(unchecked) private(set) var pending: [String: PendingRequest] = [:]
  /// Those of them that are actions.
  private(set) var actionCount = 0
  @exclusivity(unchecked) var subscriptions: [String: Subscription] = [:]
  /// Those that may have something to tell: whose query gave something new, runs beside, or is new to them. So a publication costs what there is to
  /// tell, however many subscriptions there are. One that runs beside is here unless the session awaits it.
  var candidates: ContiguousArray<Subscription> = []
  private var lastSubscriptionNumber: UInt64 = 0

  var runningMutation: String?
  @exclusivity(unchecked) var queuedMutations: ContiguousArray<QueuedMutation> = []

  var publication = Publication.current
  /// The last mutation that was answered: a `synced` of its timestamp or a later one is owed, even if no value changed
  /// (promise 4). One of an older snapshot, whose queries took their time, doesn't pay it. 0 for none.
  var owedSynced: UInt64 = 0
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
    /// The caller's when it was sent.
    var identity: Identity
  }

  /// A request that was not answered at once. Its number tells it from a later one under the same id: the id of a cancelled
  /// request is free again while its handler still runs.
  struct PendingRequest {
    enum Kind {
      case query
      case queuedMutation
      case mutation
      case action(ActionID)
    }

    let number: UInt64
    var kind: Kind
  }

  func begin(_ id: String, _ request: PendingRequest) {
    if case .action = request.kind { actionCount += 1 }
    pending[id] = request
  }

  @discardableResult
  func end(_ id: String) -> PendingRequest? {
    guard let request = pending.removeValue(forKey: id) else { return nil }
    if case .action = request.kind { actionCount -= 1 }
    return request
  }

  private var lastRequestNumber: UInt64 = 0

  func nextRequestNumber() -> UInt64 {
    lastRequestNumber += 1
    return lastRequestNumber
  }

  /// Where a session stands in telling its subscriptions' values.
  enum Publication {
    /// All that it was told is told.
    case current
    /// Some of its subscriptions' queries run beside the engine's thread, on the snapshot of `timestamp`. The others' values at that
    /// snapshot are kept, so that all are told together (promise 3).
    case awaiting(timestamp: UInt64, values: [Told], missing: Set<ObjectIdentifier>)
  }

  struct Told {
    let subscription: Subscription
    /// The subscription may have moved on to the query of another identity by the time that this is told.
    let query: LiveQuery
    let result: LiveResult
    let version: UInt64
  }

  init(id: SessionID, transport: any SessionTransport, name: String, maximumLineBytes: Int) {
    self.id = id
    self.transport = transport
    self.name = name
    splitter = LineSplitter(maxLineBytes: maximumLineBytes)
  }

  static let mostNameBytes = 256

  /// What names a mutation beyond this connection; nil where the client gave no name.
  func key(of id: UnsafeRawBufferPointer) -> SessionRequest? {
    retryName.map { SessionRequest(session: $0, request: String(decoding: id, as: UTF8.self)) }
  }

  func isActive(_ id: String) -> Bool { pending[id] != nil || subscriptions[id] != nil }

  func nextSubscriptionNumber() -> UInt64 {
    lastSubscriptionNumber += 1
    return lastSubscriptionNumber
  }

  func noteCandidate(_ subscription: Subscription) {
    guard !subscription.isCandidate else { return }
    subscription.isCandidate = true
    candidates.append(subscription)
  }

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
        case "error" where Self.tellsOfData(words[2]):
          writer.writeErrorLine(id: String(decoding: words[1], as: UTF8.self), Engine.storageFailure)
        case "update", "patch", "failed", "synced", "log": break
        default:
          writer.write(raw: [UInt8](line))
          writer.write(byte: UInt8(ascii: "\n"))
        }
      }
    }
    for subscription in subscriptions.values {
      subscription.forgetSent()
      noteCandidate(subscription)
    }
    flush()
  }

  /// Whether an error may tell what a handler saw, and not only what is wrong with the request.
  private static func tellsOfData(_ json: ArraySlice<UInt8>) -> Bool {
    let code = json.withUnsafeBytes { try? WireError(json: $0).code }
    switch code {
    case .application, .functionFailed, .notFound, .schemaViolation, .limitExceeded, .timeout: return true
    default: return false
    }
  }

  func markClosed() { isClosed = true }
}
