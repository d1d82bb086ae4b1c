/// What a type has asked a `RecordingDecoder` for, at one place.
final class RecordedNode {
  private var members: [(name: String, node: RecordedNode, isOptional: Bool)] = []
  private var elements: [RecordedNode] = []
  private var single: ValidatorShape?
  private var isArray = false
  /// Whether it asked which members there are: those that it doesn't name then, it reads all the same.
  var readsAnyMember = false

  func note(_ shape: ValidatorShape) { single = shape }

  func element() -> RecordedNode {
    let node = RecordedNode()
    elements.append(node)
    return node
  }

  func beginArray() { isArray = true }

  func member(_ name: String, isOptional: Bool = false) -> RecordedNode {
    if let known = members.firstIndex(where: { $0.name == name }) {
      if isOptional { members[known].isOptional = true }
      return members[known].node
    }
    let node = RecordedNode()
    members.append((name, node, isOptional))
    return node
  }

  var shape: ValidatorShape {
    if let single { return single }
    if isArray {
      var shapes: [ValidatorShape] = []
      for element in elements {
        let shape = element.shape.isOptional ? element.shape.orNull : element.shape
        if !shapes.contains(shape) { shapes.append(shape) }
      }
      return .array(shapes.isEmpty ? .any : shapes.count == 1 ? shapes[0] : .union(shapes))
    }
    if readsAnyMember { return .any }
    return .object(members.map { .init(name: $0.name, shape: $0.node.shape, optional: $0.isOptional) })
  }
}

/// A decoder without data: it notes what is asked for, and answers with placeholders.
struct RecordingDecoder: Decoder {
  let learner: ShapeLearner
  let node: RecordedNode
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(RecordingMembers<Key>(learner: learner, node: node))
  }

  func unkeyedContainer() -> any UnkeyedDecodingContainer {
    node.beginArray()
    return RecordingElements(learner: learner, node: node)
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { RecordingValue(learner: learner, node: node) }
}

extension ShapeLearner {
  fileprivate func text(_ node: RecordedNode) -> String {
    node.note(.string)
    return placeholder.text
  }

  fileprivate func boolean(_ node: RecordedNode) -> Bool {
    node.note(.boolean)
    return false
  }

  fileprivate func real<N: BinaryFloatingPoint>(_ node: RecordedNode) -> N {
    node.note(.float64)
    return N(placeholder.number)
  }

  fileprivate func whole<N: FixedWidthInteger>(_ node: RecordedNode) -> N {
    node.note(N.self == Int64.self ? .int64 : .wholeNumber)
    return N(clamping: placeholder.number)
  }

  fileprivate func value<T: Decodable>(_ type: T.Type, _ node: RecordedNode) throws -> T {
    let (shape, value) = try learn(type)
    node.note(shape)
    return value
  }
}

private struct RecordingMembers<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let learner: ShapeLearner
  let node: RecordedNode
  var codingPath: [any CodingKey] { [] }

  var allKeys: [Key] {
    node.readsAnyMember = true
    return []
  }

  func contains(_ key: Key) -> Bool { true }

  /// Who asks this can do without the member: `decodeIfPresent` asks, and reads the value next.
  func decodeNil(forKey key: Key) -> Bool {
    _ = node.member(key.stringValue, isOptional: true)
    return false
  }

  func decode(_ type: Bool.Type, forKey key: Key) -> Bool { learner.boolean(node.member(key.stringValue)) }
  func decode(_ type: String.Type, forKey key: Key) -> String { learner.text(node.member(key.stringValue)) }
  func decode(_ type: Double.Type, forKey key: Key) -> Double { learner.real(node.member(key.stringValue)) }
  func decode(_ type: Float.Type, forKey key: Key) -> Float { learner.real(node.member(key.stringValue)) }
  func decode(_ type: Int.Type, forKey key: Key) -> Int { learner.whole(node.member(key.stringValue)) }
  func decode(_ type: Int8.Type, forKey key: Key) -> Int8 { learner.whole(node.member(key.stringValue)) }
  func decode(_ type: Int16.Type, forKey key: Key) -> Int16 { learner.whole(node.member(key.stringValue)) }
  func decode(_ type: Int32.Type, forKey key: Key) -> Int32 { learner.whole(node.member(key.stringValue)) }
  func decode(_ type: Int64.Type, forKey key: Key) -> Int64 { learner.whole(node.member(key.stringValue)) }
  func decode(_ type: UInt.Type, forKey key: Key) -> UInt { learner.whole(node.member(key.stringValue)) }
  func decode(_ type: UInt8.Type, forKey key: Key) -> UInt8 { learner.whole(node.member(key.stringValue)) }
  func decode(_ type: UInt16.Type, forKey key: Key) -> UInt16 { learner.whole(node.member(key.stringValue)) }
  func decode(_ type: UInt32.Type, forKey key: Key) -> UInt32 { learner.whole(node.member(key.stringValue)) }
  func decode(_ type: UInt64.Type, forKey key: Key) -> UInt64 { learner.whole(node.member(key.stringValue)) }

  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
    let member = node.member(key.stringValue, isOptional: type is any OptionalType.Type)
    return try learner.inside(key.stringValue) { try learner.value(type, member) }
  }

  func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
    let member = node.member(key.stringValue, isOptional: true)
    member.note(try learner.inside(key.stringValue) { try learner.element(type) })
    return nil
  }

  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) -> KeyedDecodingContainer<Nested> {
    decoder(key.stringValue).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedDecodingContainer { decoder(key.stringValue).unkeyedContainer() }

  func superDecoder() -> any Decoder { decoder("super") }
  func superDecoder(forKey key: Key) -> any Decoder { decoder(key.stringValue) }

  private func decoder(_ name: String) -> RecordingDecoder { RecordingDecoder(learner: learner, node: node.member(name)) }
}

private protocol OptionalType {}
extension Optional: OptionalType {}

/// An array of one element, or of as many as are asked for.
private struct RecordingElements: UnkeyedDecodingContainer {
  let learner: ShapeLearner
  let node: RecordedNode
  private(set) var currentIndex = 0
  var codingPath: [any CodingKey] { [] }
  var count: Int? { nil }
  var isAtEnd: Bool { currentIndex > 0 }

  init(learner: ShapeLearner, node: RecordedNode) {
    self.learner = learner
    self.node = node
  }

  private mutating func next() -> RecordedNode {
    currentIndex += 1
    return node.element()
  }

  private mutating func decoder() -> RecordingDecoder { RecordingDecoder(learner: learner, node: next()) }

  mutating func decodeNil() -> Bool { false }
  mutating func decode(_ type: Bool.Type) -> Bool { learner.boolean(next()) }
  mutating func decode(_ type: String.Type) -> String { learner.text(next()) }
  mutating func decode(_ type: Double.Type) -> Double { learner.real(next()) }
  mutating func decode(_ type: Float.Type) -> Float { learner.real(next()) }
  mutating func decode(_ type: Int.Type) -> Int { learner.whole(next()) }
  mutating func decode(_ type: Int8.Type) -> Int8 { learner.whole(next()) }
  mutating func decode(_ type: Int16.Type) -> Int16 { learner.whole(next()) }
  mutating func decode(_ type: Int32.Type) -> Int32 { learner.whole(next()) }
  mutating func decode(_ type: Int64.Type) -> Int64 { learner.whole(next()) }
  mutating func decode(_ type: UInt.Type) -> UInt { learner.whole(next()) }
  mutating func decode(_ type: UInt8.Type) -> UInt8 { learner.whole(next()) }
  mutating func decode(_ type: UInt16.Type) -> UInt16 { learner.whole(next()) }
  mutating func decode(_ type: UInt32.Type) -> UInt32 { learner.whole(next()) }
  mutating func decode(_ type: UInt64.Type) -> UInt64 { learner.whole(next()) }
  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
    let element = next()
    return try learner.inside("[]") { try learner.value(type, element) }
  }

  mutating func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> { decoder().container(keyedBy: type) }
  mutating func nestedUnkeyedContainer() -> any UnkeyedDecodingContainer { decoder().unkeyedContainer() }
  mutating func superDecoder() -> any Decoder { decoder() }
}

private struct RecordingValue: SingleValueDecodingContainer {
  let learner: ShapeLearner
  let node: RecordedNode
  var codingPath: [any CodingKey] { [] }

  func decodeNil() -> Bool { false }
  func decode(_ type: Bool.Type) -> Bool { learner.boolean(node) }
  func decode(_ type: String.Type) -> String { learner.text(node) }
  func decode(_ type: Double.Type) -> Double { learner.real(node) }
  func decode(_ type: Float.Type) -> Float { learner.real(node) }
  func decode(_ type: Int.Type) -> Int { learner.whole(node) }
  func decode(_ type: Int8.Type) -> Int8 { learner.whole(node) }
  func decode(_ type: Int16.Type) -> Int16 { learner.whole(node) }
  func decode(_ type: Int32.Type) -> Int32 { learner.whole(node) }
  func decode(_ type: Int64.Type) -> Int64 { learner.whole(node) }
  func decode(_ type: UInt.Type) -> UInt { learner.whole(node) }
  func decode(_ type: UInt8.Type) -> UInt8 { learner.whole(node) }
  func decode(_ type: UInt16.Type) -> UInt16 { learner.whole(node) }
  func decode(_ type: UInt32.Type) -> UInt32 { learner.whole(node) }
  func decode(_ type: UInt64.Type) -> UInt64 { learner.whole(node) }
  func decode<T: Decodable>(_ type: T.Type) throws -> T { try learner.value(type, node) }
}
