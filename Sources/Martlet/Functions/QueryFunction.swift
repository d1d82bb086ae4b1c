/// A function that reads: a synchronous handler on one snapshot. Subscribed to, it runs again when what it read has changed.
public struct QueryFunction<Module: FunctionModule, Result: WireValue, each Argument: Sendable>: ServerFunction {
  public let definition: FunctionDefinition
  @usableFromInline let arguments: (repeat Arg<each Argument>)

  /// - Parameters:
  ///   - name: the name on the wire, after the module's path.
  ///   - returns: what the function answers, where its type doesn't say it: an answer that doesn't fit is a `schema_violation`.
  ///   - visibility: an `internal` function can be called by other functions only.
  ///   - limits: changes the server's limits to this function's: `{ $0.documentsRead = 500_000 }`.
  @inlinable
  public init(
    _ name: String, _ arguments: repeat Arg<each Argument>,
    returns: Validator<Result>? = nil, visibility: FunctionDefinition.Visibility = .public, limits: LimitChanges? = nil,
    handler: @escaping @Sendable (QueryContext, repeat each Argument) throws -> Result
  ) {
    self.arguments = (repeat each arguments)
    let answerShape = AnswerShape(returns)
    definition = FunctionDefinition(
      path: Module.path, name: name, visibility: visibility, limits: limits,
      arguments: argumentShapes(repeat each arguments), answer: answerShape,
      query: { context, call, answer in
        let values = (repeat try call.take(each arguments))
        try call.finish()
        try handler(context, repeat each values).encode(to: &answer)
      })
  }

  /// The call of this function with these arguments: a value that can be run, scheduled or subscribed to.
  public func callAsFunction(_ values: repeat each Argument) -> FunctionCall<Result> {
    FunctionCall(
      kind: .query, name: definition.name,
      arguments: encodeArguments(repeat each arguments, values: repeat each values))
  }
}

extension QueryFunction where Result == Null {
  /// A function that answers nothing (`null` on the wire).
  @inlinable
  public init(
    _ name: String, _ arguments: repeat Arg<each Argument>,
    visibility: FunctionDefinition.Visibility = .public, limits: LimitChanges? = nil,
    handler: @escaping @Sendable (QueryContext, repeat each Argument) throws -> Void
  ) {
    self.init(
      name, repeat each arguments, visibility: visibility, limits: limits,
      handler: { (context: QueryContext, values: repeat each Argument) in
        try handler(context, repeat each values)
        return Null()
      })
  }
}
