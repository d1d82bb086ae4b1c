/// A function as the server holds it: its name, what it takes, and how to run it, without its Swift types.
public final class FunctionDefinition: Sendable {
  public enum Visibility: String, Sendable { case `public`, `internal` }

  package enum Body: Sendable {
    case query(@Sendable (QueryContext, inout Arguments, inout JSONWriter) throws -> Void)
    case mutation(@Sendable (MutationContext, inout Arguments, inout JSONWriter) throws -> Void)
    case action(@Sendable (ActionContext, [UInt8]) async throws -> [UInt8])
    /// A query of the server's own state, which is not in tables; it runs on the engine, and again whenever that changed.
    case system(@Sendable (isolated Engine, inout Arguments, inout JSONWriter) throws -> Void)
  }

  package let name: String
  let utf8Name: ContiguousArray<UInt8>
  package let kind: FunctionKind
  package let visibility: Visibility
  package let arguments: ValidatorShape
  let answer: AnswerShape
  package var returns: ValidatorShape { answer.shape() }
  package let body: Body
  /// Of actions: where it runs.
  let pool: String
  private let limitChanges: LimitChanges?
  /// Its place among the functions of its registry, from 1 on, by which an engine finds what it counts of it; 0 for one that isn't registered.
  let number: Int

  package convenience init(
    name: String, visibility: Visibility, arguments: [(name: String, shape: ValidatorShape)], limits: LimitChanges? = nil,
    returns: ValidatorShape = .any, body: Body
  ) {
    self.init(
      name: name, visibility: visibility, arguments: arguments, limits: limits, answer: AnswerShape(returns), body: body)
  }

  init(
    name: String, visibility: Visibility, arguments: [(name: String, shape: ValidatorShape)], pool: String = ActionPools.standard,
    limits: LimitChanges?, answer: AnswerShape, body: Body
  ) {
    self.name = name
    utf8Name = ContiguousArray(name.utf8)
    self.visibility = visibility
    self.arguments = .object(
      arguments.map {
        if case .optional(let inner) = $0.shape { return .init(name: $0.name, shape: inner, optional: true) }
        return .init(name: $0.name, shape: $0.shape, optional: false)
      })
    self.answer = answer
    self.pool = pool
    limitChanges = limits
    number = 0
    isSystem = name.hasPrefix("_system:")
    self.body = body
    kind =
      switch body {
      case .query, .system: .query
      case .mutation: .mutation
      case .action: .action
      }
  }

  private init(_ other: FunctionDefinition, number: Int) {
    name = other.name
    utf8Name = other.utf8Name
    kind = other.kind
    visibility = other.visibility
    arguments = other.arguments
    answer = other.answer
    body = other.body
    pool = other.pool
    limitChanges = other.limitChanges
    isSystem = other.isSystem
    self.number = number
  }

  /// The same function, as a registry holds it: an app's own may be in several.
  func numbered(_ number: Int) -> FunctionDefinition { FunctionDefinition(self, number: number) }

  /// What the function may use on a server with these limits.
  func limits(on server: Limits) -> Limits {
    guard let limitChanges else { return server }
    var limits = server
    limitChanges(&limits)
    return limits.bounded
  }

  /// Whether only an admin may call it once an admin key is configured.
  package let isSystem: Bool
}

// What a module's functions are made with, in the app's own code: so that a handler is compiled with its types there.
extension FunctionDefinition {
  @usableFromInline
  convenience init(
    path: String, name: String, visibility: Visibility, limits: LimitChanges?, arguments: [(name: String, shape: ValidatorShape)],
    answer: AnswerShape,
    query: @escaping @Sendable (QueryContext, inout Arguments, inout JSONWriter) throws -> Void
  ) {
    self.init(name: "\(path):\(name)", visibility: visibility, arguments: arguments, limits: limits, answer: answer, body: .query(query))
  }

  @usableFromInline
  convenience init(
    path: String, name: String, visibility: Visibility, limits: LimitChanges?, arguments: [(name: String, shape: ValidatorShape)],
    answer: AnswerShape,
    mutation: @escaping @Sendable (MutationContext, inout Arguments, inout JSONWriter) throws -> Void
  ) {
    self.init(name: "\(path):\(name)", visibility: visibility, arguments: arguments, limits: limits, answer: answer, body: .mutation(mutation))
  }

  @usableFromInline
  convenience init(
    path: String, name: String, visibility: Visibility, pool: String, limits: LimitChanges?,
    arguments: [(name: String, shape: ValidatorShape)], answer: AnswerShape,
    action: @escaping @Sendable (ActionContext, [UInt8]) async throws -> [UInt8]
  ) {
    self.init(
      name: "\(path):\(name)", visibility: visibility, arguments: arguments, pool: pool, limits: limits, answer: answer, body: .action(action))
  }
}

/// The names and shapes of a function's arguments.
@inlinable
package func argumentShapes<each Value>(_ arguments: repeat Arg<each Value>) -> [(name: String, shape: ValidatorShape)] {
  var shapes: [(name: String, shape: ValidatorShape)] = []
  for argument in repeat each arguments { shapes.append((argument.name, argument.validator.shape)) }
  return shapes
}
