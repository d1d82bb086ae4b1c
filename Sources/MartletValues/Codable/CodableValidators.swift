/// A `Codable` type as a field, an argument or a member of an object, without naming its members again.
///
/// What the type's values are on the wire is learnt once, when the validator is made: see `ShapeLearner`. A value is then read in two passes: its
/// text is checked against that shape, so that errors name path, expectation and finding as everywhere, and strange members are refused;
/// then `init(from:)` runs over the same text. Writing goes the other way, with the members in the order of their names.
///
/// | Swift | on the wire |
/// |---|---|
/// | `String`, `Bool`, `Double`, `Float` | string, boolean, number |
/// | `Int`, and the other integers | whole number within ±2^53 |
/// | `Int64` | int64 |
/// | `Bytes`, `DocumentID`, `ID<T>`, `Value`, any `WireValue` | as they are without this |
/// | optional | absent where nil |
/// | array | array |
/// | dictionary of strings or integers | record |
/// | enum with raw values | one of them, if it is `CaseIterable` |
/// | nested `Codable` types | objects |
///
/// **Costs.** `Codable` works through existentials, and allocates for each container; where that counts, `.object` doesn't.
extension Validator where T: Codable {
  /// Stops the program, saying why, where the type's shape can't be learnt; then `codable(_:shape:)` takes it from you.
  public static func codable(_ type: T.Type = T.self) -> Validator { coded(CodableShape.of(type)) }

  /// The same for a type whose own `init(from:)` looks at what it reads, so that its shape can't be learnt.
  ///
  /// ```swift
  /// .codable(Money.self, shape: .object([.init(name: "amount", shape: .wholeNumber), .init(name: "currency", shape: .string)]))
  /// ```
  public static func codable(_ type: T.Type = T.self, shape: ValidatorShape) -> Validator { coded(shape) }

  private static func coded(_ shape: ValidatorShape) -> Validator {
    var tagged: (@Sendable (String, String) -> Validator)?
    // A type that reads itself, and not by its coding, has no place for a tag.
    if case .object(let members) = shape, !(T.self is any WireValue.Type) || T.self is any CodableWireValue.Type {
      tagged = { name, text in
        let tag = ObjectTag(name: name, text: text)
        let shape = ValidatorShape.object([tag.shape] + members)
        return Validator(
          shape: shape, decode: { try CodedValue.read(&$0, shape) }, encode: { CodedValue.write($0, tag: tag, &$1) }, mayRefuse: true)
      }
    }
    return Validator(
      shape: shape, decode: { try CodedValue.read(&$0, shape) }, encode: { CodedValue.write($0, tag: nil, &$1) }, mayRefuse: true,
      tagged: tagged)
  }
}

/// A `Codable` type that crosses the wire by that: what a struct conforms to, so that it can be a function's answer.
///
/// ```swift
/// struct Statistics: CodableWireValue {
///   var messages: Int
///   var likes: Double
/// }
/// ```
public protocol CodableWireValue: WireValue, Codable {}

extension CodableWireValue {
  public static func decode(from reader: inout JSONReader) throws -> Self { try CodedValue.read(&reader, shape) }
  public func encode(to writer: inout JSONWriter) { CodedValue.write(self, tag: nil, &writer) }
  public static var shape: ValidatorShape { CodableShape.of(Self.self) }
}

enum CodedValue {
  static func read<T: Decodable>(_ reader: inout JSONReader, _ shape: ValidatorShape) throws -> T {
    let bookmark = reader
    try shape.check(&reader, tableNumber: nil, nullIsAbsent: true)
    return try TextDecoder.decode(T.self, at: bookmark)
  }

  /// An encoding that fails leaves null, and the writer knows why: whoever answers for the text looks there.
  static func write(_ value: some Encodable, tag: ObjectTag?, _ writer: inout JSONWriter) {
    do {
      let tree = try EncodedTree.member(value)
      if let tag { tree.set(tag.name, EncodedTree(.string(tag.text))) }
      tree.write(to: &writer)
    } catch { writer.write(unencodable: "\(error)") }
  }
}
