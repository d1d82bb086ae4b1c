/// A function that talks to the world: an async handler, run at most once for each call. It reaches the data through
/// `ctx.run` only, and other servers by `ctx.fetch`.
public struct ActionFunction<Module: FunctionModule, Result: WireValue, each Argument: Sendable>: ServerFunction {
  public let definition: FunctionDefinition
  @usableFromInline let arguments: (repeat Arg<each Argument>)

  /// - Parameters:
  ///   - name: the name on the wire, after the module's path.
  ///   - returns: what the function answers, where its type doesn't say it: an answer that doesn't fit is a `schema_violation`.
  ///   - visibility: an `internal` function can be called by other functions only.
  ///   - pool: where it runs: one of those that `MartletApp(pools:)` declares. `default` has 64 places.
  ///   - limits: changes the server's limits to this function's: `{ $0.actionMilliseconds = 5_000 }`.
  @inlinable
  public init(
    _ name: String, _ arguments: repeat Arg<each Argument>,
    returns: Validator<Result>? = nil, visibility: FunctionDefinition.Visibility = .public, pool: String = "default",
    limits: LimitChanges? = nil,
    handler: @escaping @Sendable (ActionContext, repeat each Argument) async throws -> Result
  ) {
    self.arguments = (repeat each arguments)
    let answerShape = AnswerShape(returns)
    definition = FunctionDefinition(
      path: Module.path, name: name, visibility: visibility, pool: pool, limits: limits,
      arguments: argumentShapes(repeat each arguments), answer: answerShape,
      action: { context, json in
        let values = try json.withUnsafeBytes { json in
          var call = try Arguments(json, for: context)
          let values = (repeat try call.take(each arguments))
          try call.finish()
          return values
        }
        var answer = JSONWriter()
        let result = try await handler(context, repeat each values)
        result.encode(to: &answer)
        try checkAnswer(answer, of: "\(Module.path):\(name)", answerShape, context)
        return answer.bytes
      })
  }

  /// The call of this function with these arguments: a value that can be run.
  public func callAsFunction(_ values: repeat each Argument) -> FunctionCall<Result> {
    FunctionCall(
      kind: .action, name: definition.name,
      arguments: encodeArguments(repeat each arguments, values: repeat each values))
  }
}

extension ActionFunction where Result == Null {
  /// An action that answers nothing (`null` on the wire).
  @inlinable
  public init(
    _ name: String, _ arguments: repeat Arg<each Argument>,
    visibility: FunctionDefinition.Visibility = .public, pool: String = "default", limits: LimitChanges? = nil,
    handler: @escaping @Sendable (ActionContext, repeat each Argument) async throws -> Void
  ) {
    self.init(
      name, repeat each arguments, visibility: visibility, pool: pool, limits: limits,
      handler: { (context: ActionContext, values: repeat each Argument) in
        try await handler(context, repeat each values)
        return Null()
      })
  }
}
