public import MartletValues

/// Several live queries that are always shown as of one snapshot: their values now, and all of them again whenever a commit changes any.
///
///     for try await (total, richest) in client.subscribe(Bank.total(), Bank.richest(10)) { show(total, richest) }
///
/// What two subscriptions show may differ by a commit for a moment, since each is read by a loop of its own. A group's values come together: a
/// total is the total of the list beside it.
///
/// - The first element comes when all queries have run. After a connection that broke, nothing is shown until all of them have been told anew.
/// - As with one query, a slow loop gets the newest values, and at most one of each waits in memory.
/// - If one of the queries throws, so does the loop. `updates` goes on instead, and has a result for each.
/// - If the server refuses one of the queries (there is no such function, say), all of the group ends with that error.
public struct SubscriptionGroup<each Output: WireValue>: AsyncSequence, Sendable {
  public typealias Element = (repeat each Output)
  public typealias Failure = MartletError

  let client: MartletClient
  let queries: [QueryKey]

  public func makeAsyncIterator() -> Iterator {
    Iterator(cursor: SubscriptionCursor(client, queries))
  }

  public struct Iterator: AsyncIteratorProtocol {
    let cursor: SubscriptionCursor

    public mutating func next(
      isolation: isolated (any Actor)? = #isolation
    ) async throws(MartletError) -> (repeat each Output)? {
      guard let delivery = try await cursor.next(isolation: isolation) else { return nil }
      let update: GroupUpdate<repeat each Output> = try GroupUpdate(delivery)
      let values: (repeat each Output) = try update.values
      return .some(values)
    }
  }

  /// Results, each with a value or a failure for every query, and the snapshot that they are of.
  public var updates: Updates { Updates(group: self) }

  /// Like the group, but a query that throws is a part of an element and doesn't end the loop.
  public struct Updates: AsyncSequence, Sendable {
    public typealias Element = GroupUpdate<repeat each Output>
    public typealias Failure = MartletError

    let group: SubscriptionGroup<repeat each Output>

    public func makeAsyncIterator() -> Iterator {
      Iterator(cursor: SubscriptionCursor(group.client, group.queries))
    }

    public struct Iterator: AsyncIteratorProtocol {
      let cursor: SubscriptionCursor

      public mutating func next(
        isolation: isolated (any Actor)? = #isolation
      ) async throws(MartletError) -> GroupUpdate<repeat each Output>? {
        guard let delivery = try await cursor.next(isolation: isolation) else { return nil }
        return try GroupUpdate(delivery)
      }
    }
  }
}

/// What the queries of a group show at a snapshot.
public struct GroupUpdate<each Output: WireValue>: Sendable {
  /// What each query returned, or why it has no value.
  public var results: (repeat Result<each Output, MartletError>)
  /// The snapshot's timestamp: it grows with every commit, and is not a wall clock.
  public var timestamp: UInt64
  /// Whether an optimistic update of this client has a part in any of the values.
  public var isOptimistic: Bool

  init(_ delivery: Delivery) throws(MartletError) {
    var rest = delivery.results[...]
    func take<Next: WireValue>(_ type: Next.Type) throws(MartletError) -> Result<Next, MartletError> {
      try rest.removeFirst().decoded(as: type)
    }
    results = (repeat try take((each Output).self))
    timestamp = delivery.timestamp
    isOptimistic = delivery.isOptimistic
  }

  /// The values; throws the error of the first query that failed.
  public var values: (repeat each Output) {
    get throws(MartletError) { (repeat try (each results).get()) }
  }
}
