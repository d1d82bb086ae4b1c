public import MartletValues

/// A live query: its value now, and again whenever a commit changes it.
///
///     for try await orders in client.subscribe(Orders.byStatus("pending")) { show(orders) }
///
/// Each iteration is a subscription of its own at the server. It begins when the iterator is made and ends when that is
/// dropped, so leaving the loop by any way ends it.
///
/// - The first value comes without waiting for a change. A loop that is slower than the commits gets the newest value
///   and misses those between; values never go back in time, and at most one waits in memory.
/// - A broken connection is made again behind the loop, with growing pauses; the current value is then delivered again.
/// - If the query throws, so does the loop. `updates` and `results` go on instead: a later commit can bring a value.
/// - The loop ends after `close()`, and when its task is cancelled. It throws a `MartletError` if the server refuses the
///   subscription, or if connecting again is refused for good (the token is no longer valid, say).
public struct Subscription<Output: WireValue>: AsyncSequence, Sendable {
  public typealias Element = Output
  public typealias Failure = MartletError

  let client: MartletClient
  let function: String
  let arguments: [UInt8]

  public func makeAsyncIterator() -> Iterator {
    Iterator(cursor: SubscriptionCursor(self))
  }

  public struct Iterator: AsyncIteratorProtocol {
    let cursor: SubscriptionCursor

    public mutating func next(
      isolation: isolated (any Actor)? = #isolation
    ) async throws(MartletError) -> Output? {
      let update: Update<Output>? = try await cursor.next(isolation: isolation)
      return try update?.value
    }
  }

  /// Values and failures, each with the snapshot that it is of.
  public var updates: Updates { Updates(subscription: self) }

  /// Values and failures.
  public var results: Results { Results(subscription: self) }
}

/// What a live query shows at a snapshot.
public struct Update<Output: Sendable>: Sendable {
  /// What the query returned, or why it has no value.
  public var result: Result<Output, MartletError>
  /// The snapshot's timestamp: it grows with every commit, and is not a wall clock.
  public var timestamp: UInt64

  public init(result: Result<Output, MartletError>, timestamp: UInt64) {
    self.result = result
    self.timestamp = timestamp
  }

  public var value: Output {
    get throws(MartletError) { try result.get() }
  }
}

extension Subscription {
  /// Like the subscription, but a query that throws is an element and doesn't end the loop.
  public struct Updates: AsyncSequence, Sendable {
    public typealias Element = Update<Output>
    public typealias Failure = MartletError

    let subscription: Subscription<Output>

    public func makeAsyncIterator() -> Iterator {
      Iterator(cursor: SubscriptionCursor(subscription))
    }

    public struct Iterator: AsyncIteratorProtocol {
      let cursor: SubscriptionCursor

      public mutating func next(
        isolation: isolated (any Actor)? = #isolation
      ) async throws(MartletError) -> Update<Output>? {
        try await cursor.next(isolation: isolation)
      }
    }
  }

  /// `updates` without the timestamps.
  public struct Results: AsyncSequence, Sendable {
    public typealias Element = Result<Output, MartletError>
    public typealias Failure = MartletError

    let subscription: Subscription<Output>

    public func makeAsyncIterator() -> Iterator {
      Iterator(cursor: SubscriptionCursor(subscription))
    }

    public struct Iterator: AsyncIteratorProtocol {
      let cursor: SubscriptionCursor

      public mutating func next(
        isolation: isolated (any Actor)? = #isolation
      ) async throws(MartletError) -> Result<Output, MartletError>? {
        let update: Update<Output>? = try await cursor.next(isolation: isolation)
        return update?.result
      }
    }
  }
}

/// One running subscription: begins with this object and ends with it.
final class SubscriptionCursor: Sendable {
  private let client: MartletClient
  private let id: UInt64
  private let mailbox = SubscriptionMailbox()

  init<Output>(_ subscription: Subscription<Output>) {
    client = subscription.client
    id = client.begin(subscription, mailbox)
  }

  deinit {
    client.end(id)
  }

  /// Decoding is done here, in the reader's task: the event loop has other readers to serve.
  func next<Output: WireValue>(
    isolation: isolated (any Actor)?
  ) async throws(MartletError) -> Update<Output>? {
    guard let delivery = try await mailbox.next(isolation: isolation) else { return nil }
    switch delivery.result {
    case .failure(let error): return Update(result: .failure(error), timestamp: delivery.timestamp)
    case .success(let json):
      let value = try Output(answer: json)
      return Update(result: .success(value), timestamp: delivery.timestamp)
    }
  }
}

extension WireValue {
  /// Decodes a server's JSON.
  init(answer json: [UInt8]) throws(MartletError) {
    do {
      self = try json.withUnsafeBytes { bytes in
        var reader = JSONReader(bytes)
        let value = try Self.decode(from: &reader)
        try reader.finish()
        return value
      }
    } catch {
      throw MartletError(.unexpectedAnswer, "the answer is not of the type \(Self.self): \(error)")
    }
  }
}
