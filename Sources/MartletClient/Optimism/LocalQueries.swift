public import MartletValues

/// The values that a client's subscriptions show, for an optimistic update to change.
///
/// ```swift
/// try await client.run(Bank.transferFunds(from, to, 10)) { local in
///   try local.update(Bank.get(from)) { account in try account.patch { $0.balance -= 10 } }
///   try local.update(Bank.get(to)) { account in try account.patch { $0.balance += 10 } }
/// }
/// ```
///
/// Here are the queries that this client is subscribed to and that have shown a value or failed, each by its function and arguments, all of one
/// snapshot, and with what earlier updates have made of them. A query that nobody is subscribed to has no value, and changing it does
/// nothing. One that failed has none either, and can be given one.
///
/// A value is read and written as its type has it, and kept as JSON, like the server's own.
public struct LocalQueries {
  private let server: [QueryKey: Result<[UInt8], MartletError>]
  /// What is shown in place of the server's.
  private(set) var changes: [QueryKey: [UInt8]]

  init(server: [QueryKey: Result<[UInt8], MartletError>], changes: [QueryKey: [UInt8]] = [:]) {
    self.server = server
    self.changes = changes
  }

  /// The value that a query shows; nil where it shows none, or one that isn't of this type.
  public func value<Output: WireValue>(of call: FunctionCall<Output>) -> Output? {
    value(of: QueryKey(function: call.name, arguments: call.arguments))
  }

  /// Has a query show another value, wherever this client is subscribed to it.
  public mutating func set<Output: WireValue>(_ call: FunctionCall<Output>, to value: Output) {
    set(QueryKey(function: call.name, arguments: call.arguments), to: value)
  }

  /// Changes the value that a query shows, if it shows one.
  public mutating func update<Output: WireValue>(_ call: FunctionCall<Output>, _ change: (inout Output) throws -> Void) rethrows {
    guard var value = value(of: call) else { return }
    try change(&value)
    set(call, to: value)
  }

  /// All queries of a function that show a value, in the order of their arguments: the pages of a list, say.
  public func all(_ function: String) -> [(arguments: Value, value: Value)] {
    server.keys.filter { $0.function == function }.sorted { $0.arguments.lexicographicallyPrecedes($1.arguments) }.compactMap { key in
      guard let arguments = try? Value(answer: key.arguments), let value: Value = value(of: key) else { return nil }
      return (arguments, value)
    }
  }

  private func value<Output: WireValue>(of key: QueryKey) -> Output? {
    guard let json = try? changes[key] ?? server[key]?.get() else { return nil }
    return try? Output(answer: json)
  }

  private mutating func set(_ key: QueryKey, to value: some WireValue) {
    guard server[key] != nil else { return }
    var writer = JSONWriter()
    value.encode(to: &writer)
    changes[key] = writer.bytes
  }
}

extension LocalQueries {
  public func value(of function: String, _ arguments: ObjectValue = [:]) -> Value? {
    value(of: FunctionCall<Value>(kind: .query, name: function, arguments: arguments))
  }

  public mutating func set(_ function: String, _ arguments: ObjectValue = [:], to value: Value) {
    set(FunctionCall<Value>(kind: .query, name: function, arguments: arguments), to: value)
  }

  public mutating func update(_ function: String, _ arguments: ObjectValue = [:], _ change: (inout Value) throws -> Void) rethrows {
    try update(FunctionCall<Value>(kind: .query, name: function, arguments: arguments), change)
  }
}

/// What a mutation is expected to do to the values that this client shows. It runs on the client's own thread, at once and again for each
/// newer value from the server, so it is short, and gives the same for the same values. One that throws changes nothing.
public typealias OptimisticUpdate = @Sendable (inout LocalQueries) throws -> Void
