import Dispatch
import Logging
import Martlet
import MartletClient
import Synchronization

/// A server and its clients in one process, turned by themselves: whenever there is something to do, a queue of its own does it, until there is
/// nothing.
///
///     clients' tasks ──enqueue──▶ clients: SimulatedHost ─┐                       ┌─▶ run until both are idle
///                                        ▲ links ▼        ├─ wake ─▶ the queue ───┤
///     handlers of actions ──────▶ server: SimulatedHost ──┘                       └─▶ advance: timers of both, by one clock
///
/// The clients have a host of their own, since the server's ends with each restart.
///
/// `@unchecked Sendable` is sound: what changes is used on the queue only, but for what has a lock of its own.
final class TestWorld: ClientTransport, @unchecked Sendable {
  let clock: SimulatedClock
  private let queue = DispatchQueue(label: "martlet.test-server")
  private let isWoken = Atomic<Bool>(false)
  private let clients: SimulatedHost
  private let generator: Mutex<DeterministicRandom>

  // On the queue.
  private let server: EngineHarness
  private var links: [ObjectIdentifier: InProcessLink] = [:]
  /// By the clock's nanoseconds.
  private var isUnreachableUntil: UInt64 = 0

  init(
    _ app: AppDefinition, _ adminKey: String?, _ clock: SimulatedClock, _ fetcher: SimulatedFetcher?, _ environment: [String: String],
    _ seed: UInt64, _ printsLog: Bool
  ) throws {
    self.clock = clock
    var random = DeterministicRandom(seed: seed)
    var configuration = EngineConfiguration()
    configuration.limits = app.limits
    configuration.tokens = app.tokens
    configuration.adminKey = adminKey
    server = try EngineHarness(
      tables: app.tables, modules: app.modules, triggers: app.triggers, crons: app.crons, pools: app.pools, workpools: app.workpools,
      seed: random.next(), configuration: configuration, clock: clock, fetcher: fetcher, variables: environment,
      logger: printsLog ? Logger(label: "martlet") { StreamLogHandler.standardError(label: $0) } : nil)
    clients = SimulatedHost(seed: random.next(), clock: clock)
    generator = Mutex(random)
    clients.onWork = { [weak self] in self?.wake() }
    watchServer()
  }

  /// The host of a server that has just started. Its jobs may be running already.
  private func watchServer() {
    server.host.onWork = { [weak self] in self?.wake() }
    wake()
  }

  private func wake() {
    guard !isWoken.exchange(true, ordering: .acquiringAndReleasing) else { return }
    queue.async {
      self.isWoken.store(false, ordering: .releasing)
      self.run()
    }
  }

  /// Carries out what a test asks for, when what was begun before is done, and all that follows from it.
  func perform<Result: Sendable>(_ body: @escaping @Sendable (TestWorld) -> Result) async -> Result {
    await withCheckedContinuation { continuation in
      queue.async {
        self.run()
        let result = body(self)
        self.run()
        continuation.resume(returning: result)
      }
    }
  }
}

// MARK: - On the queue

extension TestWorld {
  /// Until nothing is left to do at this time; what another server answers at once is a timer that is due already.
  private func run() {
    repeat {
      server.run()
      clients.run()
    } while !server.host.isIdle || fireDueTimer()
  }

  private func fireDueTimer() -> Bool {
    let now = clock.monotonicNanoseconds()
    return server.host.fireTimer(before: now) || clients.fireTimer(before: now)
  }

  func advance(milliseconds: Int) {
    let target = clock.monotonicNanoseconds() + UInt64(milliseconds) * 1_000_000
    while let deadline = [server.host, clients].compactMap(\.nextDeadline).min(), deadline <= target {
      // One of the two has it.
      if !server.host.fireTimer(before: deadline) { _ = clients.fireTimer(before: deadline) }
      run()
    }
    let now = clock.monotonicNanoseconds()
    if now < target { clock.advance(nanoseconds: target - now) }
  }

  func disconnectClients(forMilliseconds milliseconds: Int) {
    isUnreachableUntil = clock.monotonicNanoseconds() + UInt64(milliseconds) * 1_000_000
    for link in links.values { link.cut("the connection was broken") }
    links.removeAll()
  }

  func restart() throws {
    for link in links.values { link.cut("the server was stopped") }
    links.removeAll()
    run()
    server.host.onWork = nil
    defer { watchServer() }
    try server.crash()
  }

  fileprivate func open(_ end: ClientConnectionEnd) {
    guard clock.monotonicNanoseconds() >= isUnreachableUntil else {
      return clients.enqueue { end.ended("the server can't be reached") }
    }
    let link = InProcessLink(end, clients: clients, server: server.host, engine: server.engine)
    links[ObjectIdentifier(link)] = link
    link.onEnd = { [weak self] in self?.links[ObjectIdentifier($0)] = nil }
    link.open()
  }
}

// MARK: - ClientTransport

extension TestWorld {
  func execute(_ work: @escaping @Sendable () -> Void) { clients.enqueue(work) }

  func schedule(afterSeconds seconds: Double, _ work: @escaping @Sendable () -> Void) {
    clients.schedule(afterMilliseconds: Int((seconds * 1_000).rounded(.up)), work)
  }

  func connect(timeoutSeconds: Double, _ end: ClientConnectionEnd) {
    clients.enqueue { self.open(end) }
  }

  func assertIsCurrent() { assert(clients.isIsolatingCurrentContext() == true) }

  func random() -> UInt64 { generator.withLock { $0.next() } }
}
