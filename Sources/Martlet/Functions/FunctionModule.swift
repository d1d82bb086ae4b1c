/// A group of functions with one path: `accounts` in `accounts:transferFunds`.
///
/// ```swift
/// enum Bank: FunctionModule {
///   static let path = "accounts"
///   static let functions: [any ServerFunction] = [byOwner, transferFunds]
///
///   static let byOwner = Query("byOwner", Arg("owner", .string)) { ctx, owner in
///     try ctx.db.query(Accounts.self).withIndex(\.byOwner) { $0.eq(\.owner, owner) }.collect()
///   }
/// }
/// ```
///
/// Inside a module, `Query`, `Mutation` and `Action` mean functions of that module: the path stands once.
public protocol FunctionModule: SendableMetatype {
  /// The module's path: names separated by `/`.
  static var path: String { get }
  /// What the server offers. A function that isn't listed can't be called.
  static var functions: [any ServerFunction] { get }
}

/// A query, a mutation or an action, as a module lists it.
public protocol ServerFunction: Sendable {
  var definition: FunctionDefinition { get }
}

extension FunctionModule {
  public typealias Query<Result: WireValue, each Argument: Sendable> = QueryFunction<Self, Result, repeat each Argument>
  public typealias Mutation<Result: WireValue, each Argument: Sendable> = MutationFunction<Self, Result, repeat each Argument>
  public typealias Action<Result: WireValue, each Argument: Sendable> = ActionFunction<Self, Result, repeat each Argument>
}

/// Writes a call's arguments as a canonical JSON object. Absent optionals are left out.
@inlinable
package func encodeArguments<each Argument>(
  _ arguments: repeat Arg<each Argument>, values: repeat each Argument
) -> [UInt8] {
  var members: [(String, [UInt8])] = []
  for (argument, value) in repeat (each arguments, each values) {
    if argument.validator.absence?.isAbsent(value) == true { continue }
    var writer = JSONWriter()
    argument.validator.encode(value, &writer)
    members.append((argument.name, writer.bytes))
  }
  members.sort { $0.0 < $1.0 }
  var writer = JSONWriter()
  writer.write(byte: UInt8(ascii: "{"))
  for (index, member) in members.enumerated() {
    if index > 0 { writer.write(byte: UInt8(ascii: ",")) }
    writer.write(key: member.0)
    writer.write(raw: member.1)
  }
  writer.write(byte: UInt8(ascii: "}"))
  return writer.bytes
}
