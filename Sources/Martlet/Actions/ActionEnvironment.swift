/// `ctx.environment`: the variables of the process's environment as they were when the server started. Keys to other services belong there, and not into
/// code or tables.
///
/// ```swift
/// let key = try ctx.environment.require("PAYMENTS_KEY")
/// let isLive = ctx.environment["PAYMENTS_MODE"] == "live"
/// ```
///
/// Only actions have it: a query's or mutation's outcome depends on the data and its arguments alone, so that it can be run again, anywhere.
///
/// What is read here becomes a secret, if it has at least 8 characters: from then on its text is replaced by `[PAYMENTS_KEY]` in what functions log, in
/// the server's log, in errors that clients see, and in those of jobs, also where it is percent-encoded. What a function answers is left alone, and so is
/// a secret that was changed in another way (as Base64, cut).
public struct ActionEnvironment: Sendable {
  let outside: OutsideWorld

  /// Nil where there is no such variable.
  public subscript(name: String) -> String? {
    guard let value = outside.variables[name] else { return nil }
    outside.secrets.note(name, value)
    return value
  }

  /// - Throws: `MissingVariable`, where there is no such variable, or it is empty.
  public func require(_ name: String) throws(MissingVariable) -> String {
    guard let value = self[name], !value.isEmpty else { throw MissingVariable(name: name) }
    return value
  }
}

/// A variable of the environment that an action can't do without.
public struct MissingVariable: Error, Sendable, Hashable, CustomStringConvertible {
  public let name: String
  public var description: String { "the environment variable \(name) is not set; start the server with it" }
}

extension MissingVariable: RetryDecision {
  /// The environment stays what it is until the server is started anew.
  public var isRetryable: Bool { false }
}

extension ActionContext {
  public var environment: ActionEnvironment { ActionEnvironment(outside: engine.environment.outside) }
}
