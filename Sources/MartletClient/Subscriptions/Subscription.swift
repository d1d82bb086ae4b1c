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
  let query: QueryKey

  public func makeAsyncIterator() -> Iterator {
    Iterator(cursor: SubscriptionCursor(client, [query]))
  }

  public struct Iterator: AsyncIteratorProtocol {
    let cursor: SubscriptionCursor

    public mutating func next(
      isolation: isolated (any Actor)? = #isolation
    ) async throws(MartletError) -> Output? {
      try await cursor.nextUpdate(isolation: isolation, Output.self)?.value
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
  /// Whether an optimistic update of this client has a part in it.
  public var isOptimistic: Bool

  public init(result: Result<Output, MartletError>, timestamp: UInt64, isOptimistic: Bool = false) {
    self.result = result
    self.timestamp = timestamp
    self.isOptimistic = isOptimistic
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
      Iterator(cursor: SubscriptionCursor(subscription.client, [subscription.query]))
    }

    public struct Iterator: AsyncIteratorProtocol {
      let cursor: SubscriptionCursor

      public mutating func next(
        isolation: isolated (any Actor)? = #isolation
      ) async throws(MartletError) -> Update<Output>? {
        try await cursor.nextUpdate(isolation: isolation, Output.self)
      }
    }
  }

  /// `updates` without the timestamps.
  public struct Results: AsyncSequence, Sendable {
    public typealias Element = Result<Output, MartletError>
    public typealias Failure = MartletError

    let subscription: Subscription<Output>

    public func makeAsyncIterator() -> Iterator {
      Iterator(cursor: SubscriptionCursor(subscription.client, [subscription.query]))
    }

    public struct Iterator: AsyncIteratorProtocol {
      let cursor: SubscriptionCursor

      public mutating func next(
        isolation: isolated (any Actor)? = #isolation
      ) async throws(MartletError) -> Result<Output, MartletError>? {
        try await cursor.nextUpdate(isolation: isolation, Output.self)?.result
      }
    }
  }
}

/// One running subscription: begins with this object and ends with it.
final class SubscriptionCursor: Sendable {
  private let client: MartletClient
  private let id: UInt64
  private let mailbox = SubscriptionMailbox()

  init(_ client: MartletClient, _ queries: [QueryKey]) {
    self.client = client
    id = client.begin(queries, mailbox)
  }

  deinit {
    client.end(id)
  }

  /// What comes is decoded by the one who calls this, in the reader's task: the client's thread has other readers to serve.
  func next(isolation: isolated (any Actor)?) async throws(MartletError) -> Delivery? {
    try await mailbox.next(isolation: isolation)
  }

  /// The next of a single query.
  func nextUpdate<Output: WireValue>(
    isolation: isolated (any Actor)?, _ type: Output.Type
  ) async throws(MartletError) -> Update<Output>? {
    guard let delivery = try await next(isolation: isolation) else { return nil }
    return Update(
      result: try delivery.results[0].decoded(as: type), timestamp: delivery.timestamp, isOptimistic: delivery.isOptimistic)
  }
}

extension Result<[UInt8], MartletError> {
  func decoded<Output: WireValue>(as type: Output.Type) throws(MartletError) -> Result<Output, MartletError> {
    switch self {
    case .failure(let error): .failure(error)
    case .success(let json): .success(try Output(answer: json))
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
