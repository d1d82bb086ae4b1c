import Glibc
import Martlet
import Synchronization

/// A host without threads: everything that the engine would do on its own thread, on others or later waits in a queue
/// until the test turns it, and then runs on the test's thread.
///
///     enqueue, the executor's jobs ──▶ ready      ─┐
///     offload                      ──▶ offloaded  ─┼─▶ run()        one after another, the order chosen by the seed
///     schedule                     ──▶ timers     ─┘   advance(milliseconds:) moves the clock
///
/// What is ready runs in its order, as on an event loop. When an offloaded piece of work runs, and which of several, is the
/// seed's choice: that is what threads do to a program, and here it can be replayed (G10).
///
/// The executor answers the runtime's question whether it is running now (`assumeIsolated` asks it): yes while this thread
/// turns the queue, and no during offloaded work, so that work which touches the engine from outside traps as it would
/// on a real thread.
///
/// `@unchecked Sendable` is sound: all state is under one mutex, which is not held while work runs.
package final class SimulatedHost: EngineHost, SerialExecutor, @unchecked Sendable {
  private struct Timer {
    var deadline: UInt64
    var number: UInt64
    var work: @Sendable () -> Void
  }

  private struct State {
    var ready: [@Sendable () -> Void] = []
    var next = 0
    var offloaded: [@Sendable () -> Void] = []
    var timers: [Timer] = []
    var lastTimer: UInt64 = 0
    var random: DeterministicRandom
    /// The thread that is the engine's just now.
    var owner: pthread_t?
    var onWork: (@Sendable () -> Void)?
  }

  package let clock: SimulatedClock
  private let state: Mutex<State>

  package init(seed: UInt64, clock: SimulatedClock = SimulatedClock()) {
    self.clock = clock
    state = Mutex(State(random: DeterministicRandom(seed: seed)))
  }

  // MARK: EngineHost

  package var executor: any SerialExecutor { self }

  package func enqueue(_ work: @escaping @Sendable () -> Void) { add { $0.ready.append(work) } }

  /// Time stands still within a turn.
  package func enqueueSoon(afterNanoseconds: UInt64, _ work: @escaping @Sendable () -> Void) { enqueue(work) }

  package func offload(_ work: @escaping @Sendable () -> Void) { add { $0.offloaded.append(work) } }

  private func add(_ change: (inout sending State) -> Void) {
    let onWork = state.withLock { state in
      change(&state)
      return state.onWork
    }
    onWork?()
  }

  /// Is told, on any thread, when there is work to run. A host that a test turns by hand has nobody to tell.
  package var onWork: (@Sendable () -> Void)? {
    get { state.withLock { $0.onWork } }
    set { state.withLock { $0.onWork = newValue } }
  }

  package func schedule(afterMilliseconds milliseconds: Int, _ work: @escaping @Sendable () -> Void) {
    let deadline = clock.monotonicNanoseconds() + UInt64(milliseconds) * 1_000_000
    state.withLock { state in
      state.lastTimer += 1
      state.timers.append(Timer(deadline: deadline, number: state.lastTimer, work: work))
    }
  }

  /// Actions run as offloaded work does: when, and in which order, is the seed's choice.
  package var actionExecutor: (any TaskExecutor)? { SimulatedTaskExecutor(host: self) }

  // MARK: SerialExecutor

  package func enqueue(_ job: UnownedJob) {
    enqueue { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }

  package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

  package func isIsolatingCurrentContext() -> Bool? { isTurning }

  package func checkIsolated() {
    precondition(isTurning, "the engine is entered on its simulated thread only: within SimulatedHost.enter or run")
  }

  private var isTurning: Bool {
    state.withLock { $0.owner.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
  }

  // MARK: Turning

  /// Runs `body` as if on the engine's thread.
  package func enter<Result>(_ body: () throws -> Result) rethrows -> Result {
    try becoming(owner: pthread_self(), body)
  }

  private func becoming<Result>(owner: pthread_t?, _ body: () throws -> Result) rethrows -> Result {
    let before = state.withLock { state in
      defer { state.owner = owner }
      return state.owner
    }
    defer { state.withLock { $0.owner = before } }
    return try body()
  }

  package var offloadedCount: Int { state.withLock { $0.offloaded.count } }
  package var isIdle: Bool { state.withLock { $0.next == $0.ready.count && $0.offloaded.isEmpty } }

  /// Runs the first piece of work that is ready. False if there is none.
  @discardableResult
  package func turn() -> Bool {
    let work: (@Sendable () -> Void)? = state.withLock { state in
      guard state.next < state.ready.count else { return nil }
      defer {
        state.next += 1
        if state.next == state.ready.count {
          state.ready.removeAll(keepingCapacity: true)
          state.next = 0
        }
      }
      return state.ready[state.next]
    }
    guard let work else { return false }
    enter(work)
    return true
  }

  /// Runs what is ready, and what that makes ready. Offloaded work stays where it is.
  package func runReady() { while turn() {} }

  /// Runs one piece of offloaded work, chosen by the seed unless `index` says which. What it has for the engine's thread is then ready.
  @discardableResult
  package func runOffloaded(at index: Int? = nil) -> Bool {
    let work: (@Sendable () -> Void)? = state.withLock { state in
      guard !state.offloaded.isEmpty else { return nil }
      return state.offloaded.remove(at: index ?? Int.random(in: state.offloaded.indices, using: &state.random))
    }
    guard let work else { return false }
    becoming(owner: nil, work)
    return true
  }

  /// Runs everything that can run without time passing: what is ready and what is offloaded, interleaved by the seed.
  package func run() {
    while true {
      let takesOffloaded = state.withLock { $0.offloaded.isEmpty ? false : $0.random.next() % 3 == 0 }
      if takesOffloaded { runOffloaded() } else if !turn(), !runOffloaded() { return }
    }
  }

  /// Runs one piece of work of any kind, chosen by the seed; if there is none, the timer that is due first. False if there is nothing at all.
  @discardableResult
  package func step() -> Bool {
    let takesOffloaded = state.withLock { $0.random.next() % 3 == 0 }
    if takesOffloaded, runOffloaded() { return true }
    return turn() || runOffloaded() || fireTimer(before: .max)
  }

  /// Lets time pass, and everything happen in it.
  package func advance(milliseconds: Int) {
    let target = clock.monotonicNanoseconds() + UInt64(milliseconds) * 1_000_000
    run()
    while fireTimer(before: target) { run() }
    let now = clock.monotonicNanoseconds()
    if now < target { clock.advance(nanoseconds: target - now) }
  }

  /// When the first timer is due, by the clock's nanoseconds; nil where there is none.
  package var nextDeadline: UInt64? { state.withLock { $0.timers.lazy.map(\.deadline).min() } }

  /// Runs the timer that is due first, and moves the clock there. False if none is due by `limit`.
  package func fireTimer(before limit: UInt64) -> Bool {
    let timer: Timer? = state.withLock { state in
      guard let index = state.timers.indices.min(by: {
        (state.timers[$0].deadline, state.timers[$0].number) < (state.timers[$1].deadline, state.timers[$1].number)
      }), state.timers[index].deadline <= limit else { return nil }
      return state.timers.remove(at: index)
    }
    guard let timer else { return false }
    let now = clock.monotonicNanoseconds()
    if now < timer.deadline { clock.advance(nanoseconds: timer.deadline - now) }
    enter(timer.work)
    return true
  }
}
