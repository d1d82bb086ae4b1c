import Foundation
import Histories
import MartletClient
import MartletValues
import Synchronization

/// What the Swift client's writers and subscribers saw, written down by many tasks.
///
/// A subscription is a connection to the checker: it has one query, and each update is a value with the `synced` that delivered it. After a
/// reconnect the client delivers the value once more, also where it is the same; so only those that differ are noted as told.
final class SwiftClientsHistory: Sendable {
  typealias History = LiveHistory<ItemsModel>

  enum News { case answered, shown, patienceIsOver }

  private struct State {
    var answers: [History.Answer] = []
    var events: [[History.Event]]
    var shown: [(outcome: LiveOutcome, timestamp: UInt64)?]
  }

  private let calls: [ItemsModel.Call]
  private let state: Mutex<State>
  private let (stream, news) = AsyncStream.makeStream(of: News.self)

  init(_ calls: [ItemsModel.Call]) {
    self.calls = calls
    state = Mutex(State(events: calls.map { [.subscribed("s", $0)] }, shown: calls.map { _ in nil }))
  }

  func note(_ answer: History.Answer) {
    state.withLock { $0.answers.append(answer) }
    news.yield(.answered)
  }

  func note(_ subscription: Int, _ outcome: LiveOutcome, _ timestamp: UInt64) {
    state.withLock { state in
      if state.shown[subscription]?.outcome != outcome { state.events[subscription].append(.told("s", outcome)) }
      state.events[subscription].append(.synced(timestamp))
      state.shown[subscription] = (outcome, timestamp)
    }
    news.yield(.shown)
  }

  /// Returns when so many mutations are answered; false if that takes too long.
  func wait(forAnswers count: Int) async -> Bool { await wait(seconds: 30) { $0.answers.count >= count } }

  /// Returns when all subscriptions show what the model has after all mutations; false if that takes too long.
  func waitUntilSettled() async -> Bool {
    var model = ItemsModel()
    for answer in state.withLock({ $0.answers }).filter({ $0.timestamp != nil }).sorted(by: { $0.timestamp! < $1.timestamp! }) {
      _ = model.apply(answer.operation, answered: answer.text)
    }
    let last = calls.map { model.outcome(of: $0) }
    return await wait(seconds: 20) { state in zip(state.shown, last).allSatisfy { $0?.outcome == $1 } }
  }

  private func wait(seconds: Double, until isDone: @Sendable (State) -> Bool) async -> Bool {
    let deadline = Deadline(seconds: seconds)
    DispatchQueue.global().asyncAfter(deadline: .now() + seconds) { [news] in news.yield(.patienceIsOver) }
    if state.withLock({ isDone($0) }) { return true }
    for await _ in stream {
      if state.withLock({ isDone($0) }) { return true }
      if deadline.remainingMilliseconds == 0 { return false }
    }
    return false
  }

  /// Of subscriptions that have settled.
  func history() -> History {
    state.withLock { state in
      var history = History()
      history.answers = state.answers
      history.connections = state.events.map { $0 + [.settled] }
      return history
    }
  }
}

extension MartletClient {
  /// Runs a mutation, with its answer typed as the function has it, and gives the answer's JSON. The timestamp is nil where the app refused.
  func run(_ operation: ItemsModel.Operation) async throws -> (timestamp: UInt64?, text: String) {
    func run<Output: WireValue>(_ type: Output.Type) async throws -> (timestamp: UInt64?, text: String) {
      let call = FunctionCall<Output>(kind: .mutation, name: operation.function.name, arguments: operation.function.arguments)
      do {
        let answer = try await runWithTimestamp(call)
        return (answer.timestamp, answer.value.text)
      } catch let error as MartletError where error.code == .application {
        return (nil, error.message)
      }
    }
    return switch operation {
    case .adjust: try await run(Double.self)
    case .transfer: try await run([Double].self)
    case .regroup: try await run(Int.self)
    case .put, .remove, .entitle, .touch: try await run(Value.self)
    }
  }

  /// Watches a query, its value typed as the function has it, until the client is closed.
  func watch(_ call: ItemsModel.Call, _ note: (LiveOutcome, UInt64) -> Void) async throws {
    func watch<Output: WireValue>(_ type: Output.Type) async throws {
      for try await update in subscribe(FunctionCall<Output>(kind: .query, name: call.function.name, arguments: call.function.arguments)).updates {
        switch update.result {
        case .success(let value): note(.value(value.text), update.timestamp)
        case .failure(let error): note(.failed(["code": .string(error.code.rawValue), "data": error.data ?? .null]), update.timestamp)
        }
      }
    }
    switch call {
    case .statistics: try await watch([Double].self)
    case .guarded: try await watch(Double.self)
    case .item: try await watch(Value?.self)
    case .get, .range, .page, .top, .joined, .slow, .bulky: try await watch([Value].self)
    }
  }
}

extension WireValue {
  fileprivate var text: String {
    var writer = JSONWriter()
    encode(to: &writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}
