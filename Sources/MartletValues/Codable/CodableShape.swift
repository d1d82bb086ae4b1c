import Synchronization

/// The shapes of `Codable` types, each learnt once in a process.
enum CodableShape {
  static func of<T: Decodable>(_ type: T.Type) -> ValidatorShape {
    if let known = known.withLock({ $0[ObjectIdentifier(type)] }) { return known }
    let shape: ValidatorShape
    do { shape = try learn(type) } catch {
      // A programmer's error, met when the app starts. Said in optimised builds as well, which `preconditionFailure` would not be.
      fatalError("the shape of \(type) can't be learnt from its init(from:): \(error). Give it: .codable(\(type).self, shape: …)")
    }
    known.withLock { $0[ObjectIdentifier(type)] = shape }
    return shape
  }

  /// - Throws: `UnlearnableShape`
  static func learn<T: Decodable>(_ type: T.Type) throws -> ValidatorShape {
    let learner = ShapeLearner()
    return try learner.learn(type).shape.unwrapped
  }

  private static let known = Mutex<[ObjectIdentifier: ValidatorShape]>([:])
}

/// Why a type's shape can't be learnt.
struct UnlearnableShape: Error, CustomStringConvertible {
  var path: [String]
  var reason: String

  var description: String { path.isEmpty ? reason : "\(path.joined(separator: ".")): \(reason)" }
}

/// Learns what a `Decodable` type reads, by letting it read from a decoder that notes what it is asked for and hands out placeholders.
///
/// That works for types whose `init(from:)` the compiler has written, and for those that only convert: what they ask for doesn't depend on what they
/// get. Where a placeholder is refused (an empty text is no UUID), others are tried. A type that contains itself is learnt down to where it
/// does; there `any` is the shape, and its `init(from:)` what checks.
final class ShapeLearner {
  private var path: [String] = []
  /// The types that are being learnt, the outermost first.
  private var types: [ObjectIdentifier] = []
  private(set) var placeholder = Placeholder.all[0]

  struct Placeholder {
    var text: String
    var number: Int

    static let all = [
      Placeholder(text: "", number: 0), Placeholder(text: "a", number: 1),
      Placeholder(text: "00000000-0000-4000-8000-000000000000", number: 1), Placeholder(text: "https://example.com/", number: 100),
    ]
  }

  func learn<T: Decodable>(_ type: T.Type) throws -> (shape: ValidatorShape, value: T) {
    if let container = type as? any LearnableContainer.Type, let learnt = try container.learn(by: self) { return try cast(learnt) }
    if !(type is any CodableWireValue.Type), let wire = type as? any WireValue.Type, let learnt = learn(wire: wire) { return try cast(learnt) }
    if let choice = type as? any CaseIterable.Type, let learnt = learn(choice: choice) { return try cast(learnt) }
    try refuse(type)
    guard !types.contains(ObjectIdentifier(type)) else {
      throw UnlearnableShape(path: path, reason: "\(type) contains itself other than in an array, a dictionary or an optional")
    }
    types.append(ObjectIdentifier(type))
    defer { types.removeLast() }
    return try run(type)
  }

  /// The shape of what a container holds, `any` where that is being learnt already.
  func element<T: Decodable>(_ type: T.Type) throws -> ValidatorShape {
    types.contains(ObjectIdentifier(type)) ? .any : try learn(type).shape
  }

  func inside<R>(_ name: String, _ body: () throws -> R) rethrows -> R {
    path.append(name)
    defer { path.removeLast() }
    return try body()
  }

  private func run<T: Decodable>(_ type: T.Type) throws -> (shape: ValidatorShape, value: T) {
    let before = placeholder
    defer { placeholder = before }
    var failure: (any Error)?
    var hasCases = false
    for candidate in Placeholder.all {
      placeholder = candidate
      let node = RecordedNode()
      do {
        let value = try T(from: RecordingDecoder(learner: self, node: node))
        return (node.shape, value)
      } catch let error as UnlearnableShape { throw error } catch {
        failure = failure ?? error
        hasCases = node.readsAnyMember
      }
    }
    guard !hasCases else {
      throw UnlearnableShape(
        path: path,
        reason: "\(type) asks which members there are, as enums with payloads do: declare its cases with .tagged or .union, or give its shape")
    }
    guard !(type is any RawRepresentable.Type) else {
      throw UnlearnableShape(path: path, reason: "\(type) has raw values, of which none is known; make it CaseIterable")
    }
    throw UnlearnableShape(path: path, reason: "\(type) refuses every placeholder (\(failure.map { "\($0)" } ?? ""))")
  }

  /// A type that reads itself is known by its shape; a value of it is read from the least text that has that shape.
  private func learn<W: WireValue>(wire type: W.Type) -> (ValidatorShape, Any)? {
    for text in [type.shape.sample, ValidatorShape.id(table: "").sample, "\"\"", "0", "[]", "{}"] {
      let value = try? text.withUTF8Bytes { bytes in
        var reader = JSONReader(bytes)
        return try W.decode(from: &reader)
      }
      if let value { return (type.shape, value) }
    }
    return nil
  }

  private func learn<C: CaseIterable>(choice type: C.Type) -> (ValidatorShape, Any)? {
    guard let first = type.allCases.first else { return nil }
    let values = type.allCases.map { ($0 as? any RawRepresentable)?.anyRawValue }
    let names = values.compactMap { $0 as? String }
    if names.count == values.count { return (.enumeration(names), first) }
    let numbers = values.compactMap { ($0 as? any BinaryInteger).map { Double($0) } ?? $0 as? Double }
    return numbers.count == values.count ? (.union(numbers.map { .literal(.float64($0)) }), first) : nil
  }

  /// Types of Foundation whose coding is not what anyone means.
  private func refuse(_ type: any Decodable.Type) throws {
    let name = String(reflecting: type)
    guard name.hasPrefix("Foundation") else { return }
    let better =
      switch name.split(separator: ".").last {
      case "Date": "is coded as seconds since 2001; keep milliseconds since 1970 in a Double"
      case "Data": "is coded as an array of numbers; use Bytes"
      case "URL": "is coded as its parts; keep a String"
      case "Decimal": "is coded as its parts; keep a String, or minor units in an Int"
      default: nil as String?
      }
    if let better { throw UnlearnableShape(path: path, reason: "\(name) \(better)") }
  }

  private func cast<T>(_ learnt: (ValidatorShape, Any)) throws -> (shape: ValidatorShape, value: T) {
    guard let value = learnt.1 as? T else { throw UnlearnableShape(path: path, reason: "no placeholder is a \(T.self)") }
    return (learnt.0, value)
  }
}

extension RawRepresentable {
  fileprivate var anyRawValue: Any { rawValue }
}

/// Containers whose elements may be of the type that is being learnt.
private protocol LearnableContainer {
  static func learn(by learner: ShapeLearner) throws -> (ValidatorShape, Any)?
}

extension Optional: LearnableContainer where Wrapped: Decodable {
  static func learn(by learner: ShapeLearner) throws -> (ValidatorShape, Any)? {
    (.optional(try learner.element(Wrapped.self)), Wrapped?.none as Any)
  }
}

extension Array: LearnableContainer where Element: Decodable {
  static func learn(by learner: ShapeLearner) throws -> (ValidatorShape, Any)? {
    let element = try learner.element(Element.self)
    // An element that is nil is null: it can't be left out.
    return (.array(element.isOptional ? element.orNull : element), [Element]())
  }
}

extension Dictionary: LearnableContainer where Key: Decodable, Value: Decodable {
  static func learn(by learner: ShapeLearner) throws -> (ValidatorShape, Any)? {
    guard Key.self == String.self || Key.self == Int.self || Key.self is any CodingKeyRepresentable.Type else {
      return (.array(.any), [Key: Value]())  // Keys and values by turns.
    }
    let element = try learner.element(Value.self)
    return (.record(element.isOptional ? element.orNull : element), [Key: Value]())
  }
}

extension ValidatorShape {
  /// A short text that has this shape.
  fileprivate var sample: String {
    switch self {
    case .any, .null, .optional: "null"
    case .boolean: "false"
    case .int64: Value.int64(0).json
    case .float64, .wholeNumber: "0"
    case .string: "\"\""
    case .bytes: Value.bytes([]).json
    case .id: "\"\(DocumentID(tableNumber: 1, high: 0, low: 0))\""
    case .literal(let value): value.json
    case .enumeration(let names): Value.string(names.first ?? "").json
    case .array: "[]"
    case .object(let members):
      "{" + members.filter { !$0.optional }.map { "\(Value.string($0.name).json):\($0.shape.sample)" }.joined(separator: ",") + "}"
    case .record: "{}"
    case .union(let shapes): shapes.first?.sample ?? "null"
    }
  }
}
