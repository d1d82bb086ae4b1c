/// What kind of function is called, and so what it may do.
public enum FunctionKind: String, Sendable, Hashable, CaseIterable {
  case query, mutation, action
}

/// A function and its arguments, not yet run: a value that knows its answer's type.
///
/// The same call can be run, subscribed to and scheduled, here or by a client, because it holds nothing of the server: a name and the arguments' JSON. Two calls
/// with equal arguments have equal bytes, since the text is canonical, which is what lets live queries be shared.
public struct FunctionCall<Result: WireValue>: Sendable, Hashable {
  public let kind: FunctionKind
  /// `module:name`
  public let name: String
  /// One JSON object, canonical.
  public let arguments: [UInt8]

  public init(kind: FunctionKind, name: String, arguments: [UInt8]) {
    self.kind = kind
    self.name = name
    self.arguments = arguments
  }

  /// A call by name, for functions whose Swift declaration is not at hand.
  public init(kind: FunctionKind, name: String, arguments: ObjectValue = [:]) {
    var writer = JSONWriter()
    writer.write(object: arguments)
    self.init(kind: kind, name: name, arguments: writer.bytes)
  }
}
