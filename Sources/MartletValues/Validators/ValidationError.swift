/// A value that is well formed, but not what was declared: where it stands, what was expected there, and what was found.
///
/// Says types and names, and of values none but a number that is not whole where it should be, so it can be shown and logged.
public struct ValidationError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum PathComponent: Hashable, Sendable {
    case field(String)
    case index(Int)
  }

  /// From the outermost value inwards. Empty where the value itself is wrong.
  public var path: [PathComponent]
  public var expected: String
  public var found: String
  /// Where several shapes would have done: why the value has none of them.
  public var alternatives: [Alternative]

  /// One of the shapes of a union, in a few words, and what is wrong with the value seen as that. Its path begins at the value.
  public struct Alternative: Hashable, Sendable {
    public var shape: String
    public var error: ValidationError

    public init(shape: String, error: ValidationError) {
      self.shape = shape
      self.error = error
    }
  }

  public init(path: [PathComponent] = [], expected: String, found: String, alternatives: [Alternative] = []) {
    self.path = path
    self.expected = expected
    self.found = found
    self.alternatives = alternatives
  }

  /// `args.items[2].quantity: expected number, found string`; of a union, `args.shape: expected {kind: "circle", r: number} or {kind: "square",
  /// a: number}, found object; as {kind: "circle", …}: r: expected number, found string; as {kind: "square", …}: …`.
  public var description: String {
    var text = path.isEmpty ? "" : "\(pathDescription): "
    text += "expected \(expected), found \(found)"
    for alternative in alternatives {
      // A union within a union: its own alternatives would be taken for this one's.
      let reason = alternative.error.alternatives.isEmpty ? "\(alternative.error)" : "(\(alternative.error))"
      text += "; as \(alternative.shape): \(reason)"
    }
    return text.shortened(to: Self.longestDescription)
  }

  /// Unions within unions multiply; what is longer than this, in characters, ends in `…`.
  private static let longestDescription = 2_000

  /// `args.items[2].quantity`
  public var pathDescription: String {
    var text = ""
    for component in path {
      switch component {
      case .field(let name): text += text.isEmpty ? name : "." + name
      case .index(let index): text += "[\(index)]"
      }
    }
    return text
  }

  /// The same error as seen from one level further out.
  public func prefixed(by component: PathComponent) -> ValidationError {
    var error = self
    error.path.insert(component, at: 0)
    return error
  }

  /// Puts a component before the path of a validation error that travels up; other errors pass as they are. So a path is built only when something fails.
  @inline(never)
  public static func prefixing(_ error: any Error, _ component: PathComponent) -> any Error {
    (error as? ValidationError)?.prefixed(by: component) ?? error
  }
}

extension JSONReader {
  /// Throws a `ValidationError` unless the next value is of the type that errors call `kind`. Consumes nothing.
  @inline(__always)
  package mutating func expect(_ kind: StaticString) throws {
    let matches: Bool
    switch (try peek(), kind.utf8Start[0]) {
    case (.null, UInt8(ascii: "n")): matches = kind.utf8Start[2] == UInt8(ascii: "l")
    case (.number, UInt8(ascii: "n")): matches = kind.utf8Start[2] == UInt8(ascii: "m")
    case (.string, UInt8(ascii: "s")), (.array, UInt8(ascii: "a")): matches = true
    case (.boolean, UInt8(ascii: "b")): matches = kind.utf8Start[1] == UInt8(ascii: "o")
    case (.object, _): matches = try nextKindName() == kind.description
    default: matches = false
    }
    guard matches else { throw mismatch(expected: kind.description) }
  }

  /// The error for the next value, which is not what was expected.
  @inline(never)
  package mutating func mismatch(expected: String) -> any Error {
    do { return ValidationError(expected: expected, found: try nextKindName()) } catch { return error }
  }
}
