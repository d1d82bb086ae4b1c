/// A query and its arguments: what two subscriptions that show the same have in common.
struct QueryKey: Hashable, Sendable {
  var function: String
  /// One JSON object, canonical, so that equal arguments have equal bytes.
  var arguments: [UInt8]
}

/// A query of a subscription, and the line that subscribes to it.
struct SubscribedQuery: Hashable, Sendable {
  var key: QueryKey
  var line: [UInt8]
}

/// Which state of the server's data a value is of: a timestamp, and the connection that told it, counted from 1.
///
/// What a later connection tells is later, whatever its timestamp: the server may have been restored from a snapshot meanwhile.
struct Snapshot: Hashable, Comparable, Sendable {
  var connection: Int
  var timestamp: UInt64

  static func < (left: Snapshot, right: Snapshot) -> Bool {
    (left.connection, left.timestamp) < (right.connection, right.timestamp)
  }
}

/// What a subscription shows: the results of its queries, all of one snapshot.
struct Delivery: Hashable, Sendable {
  var results: [Result<[UInt8], MartletError>]
  var timestamp: UInt64
  /// Whether an optimistic update has a part in it.
  var isOptimistic = false
}
