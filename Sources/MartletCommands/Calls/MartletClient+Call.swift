import MartletClient

extension MartletClient {
  /// Runs a function of any kind, or of the one that is named.
  ///
  /// The server refuses a function of another kind before it looks at anything else, so trying costs a round trip and does no
  /// harm. To look the kind up in `_system:functions` would need the admin key.
  func call(_ function: String, _ arguments: Value, as kind: FunctionKind? = nil) async throws -> Value {
    if let kind { return try await call(kind, function, arguments) }
    var refusals: [MartletError] = []
    for kind in [FunctionKind.query, .mutation, .action] {
      do { return try await call(kind, function, arguments) } catch let error as MartletError where error.code == .wrongKind {
        refusals.append(error)
      }
    }
    // Refused as each kind: then as its own it ran, and called another function wrongly. That is the error to show.
    throw refusals.first { !$0.message.hasPrefix("\(function) is ") } ?? refusals[0]
  }

  private func call(_ kind: FunctionKind, _ function: String, _ arguments: Value) async throws -> Value {
    switch kind {
    case .query: try await query(function, arguments)
    case .mutation: try await mutation(function, arguments)
    case .action: try await action(function, arguments)
    }
  }
}
