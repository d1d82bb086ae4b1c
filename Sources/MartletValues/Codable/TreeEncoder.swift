/// What an `Encodable` value has encoded: a tree, since members come in any order and are written in the order of their names.
final class EncodedTree {
  enum Content {
    case nothing
    case null
    case boolean(Bool)
    case string(String)
    case double(Double)
    case whole(Int)
    case int64(Int64)
    /// The canonical JSON of a type that writes itself, and the reason where that isn't what was meant.
    case text([UInt8])
    case array([EncodedTree])
    case object([(name: String, tree: EncodedTree)])
  }

  private(set) var content: Content

  init(_ content: Content = .nothing) { self.content = content }

  static func of(_ value: some Encodable) throws -> EncodedTree {
    let tree = EncodedTree()
    try value.encode(to: TreeEncoder(tree: tree))
    return tree
  }

  /// A type that writes itself does; any other is asked to encode itself.
  static func member<T: Encodable>(_ value: T) throws -> EncodedTree {
    guard !(value is any CodableWireValue), let wire = value as? any WireValue else { return try of(value) }
    var writer = JSONWriter()
    wire.encode(to: &writer)
    if writer.unfitNumber == JSONWriter.unencodable {
      throw EncodingError.invalidValue(value, .init(codingPath: [], debugDescription: writer.unfitReason))
    }
    if writer.unfitNumber != 0 { return EncodedTree(.whole(writer.unfitNumber)) }
    return EncodedTree(.text(writer.bytes))
  }

  static func whole(_ value: some FixedWidthInteger) throws -> EncodedTree {
    guard let whole = Int(exactly: value) else {
      throw EncodingError.invalidValue(value, .init(codingPath: [], debugDescription: "\(value) is beyond ±2^53"))
    }
    return EncodedTree(.whole(whole))
  }

  func put(_ tree: EncodedTree) { content = tree.content }

  func beginObject() {
    if case .object = content { return }
    content = .object([])
  }

  func beginArray() {
    if case .array = content { return }
    content = .array([])
  }

  func set(_ name: String, _ tree: EncodedTree) {
    guard case .object(var members) = content else {
      content = .object([(name, tree)])
      return
    }
    content = .nothing  // So that the members are changed in place.
    if let known = members.firstIndex(where: { $0.name == name }) { members[known].tree = tree } else { members.append((name, tree)) }
    content = .object(members)
  }

  func append(_ tree: EncodedTree) {
    guard case .array(var elements) = content else {
      content = .array([tree])
      return
    }
    content = .nothing
    elements.append(tree)
    content = .array(elements)
  }

  var elementCount: Int { if case .array(let elements) = content { elements.count } else { 0 } }

  func write(to writer: inout JSONWriter) {
    switch content {
    case .nothing: writer.write(raw: "{}")  // A struct without properties encodes nothing.
    case .null: writer.writeNull()
    case .boolean(let boolean): writer.write(boolean: boolean)
    case .string(let string): writer.write(string: string)
    case .double(let double): writer.write(double: double)
    case .whole(let whole): writer.write(wholeNumber: whole)
    case .int64(let integer): writer.write(int64: integer)
    case .text(let text): writer.write(raw: text)
    case .array(let elements):
      writer.write(byte: UInt8(ascii: "["))
      for (index, element) in elements.enumerated() {
        if index > 0 { writer.write(byte: UInt8(ascii: ",")) }
        element.write(to: &writer)
      }
      writer.write(byte: UInt8(ascii: "]"))
    case .object(let members):
      writer.write(byte: UInt8(ascii: "{"))
      for (index, member) in members.sorted(by: { Value.order(utf8: $0.name, $1.name) < 0 }).enumerated() {
        if index > 0 { writer.write(byte: UInt8(ascii: ",")) }
        writer.write(key: member.name)
        member.tree.write(to: &writer)
      }
      writer.write(byte: UInt8(ascii: "}"))
    }
  }
}

struct TreeEncoder: Encoder {
  let tree: EncodedTree
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    tree.beginObject()
    return KeyedEncodingContainer(TreeMembers<Key>(tree: tree))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    tree.beginArray()
    return TreeElements(tree: tree)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { TreeValue(tree: tree) }
}

private struct TreeMembers<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let tree: EncodedTree
  var codingPath: [any CodingKey] { [] }

  private func set(_ key: Key, _ content: EncodedTree.Content) { tree.set(key.stringValue, EncodedTree(content)) }
  private func whole(_ key: Key, _ value: some FixedWidthInteger) throws { tree.set(key.stringValue, try EncodedTree.whole(value)) }

  func encodeNil(forKey key: Key) { set(key, .null) }
  func encode(_ value: Bool, forKey key: Key) { set(key, .boolean(value)) }
  func encode(_ value: String, forKey key: Key) { set(key, .string(value)) }
  func encode(_ value: Double, forKey key: Key) { set(key, .double(value)) }
  func encode(_ value: Float, forKey key: Key) { set(key, .double(Double(value))) }
  func encode(_ value: Int, forKey key: Key) { set(key, .whole(value)) }
  func encode(_ value: Int64, forKey key: Key) { set(key, .int64(value)) }
  func encode(_ value: Int8, forKey key: Key) throws { try whole(key, value) }
  func encode(_ value: Int16, forKey key: Key) throws { try whole(key, value) }
  func encode(_ value: Int32, forKey key: Key) throws { try whole(key, value) }
  func encode(_ value: UInt, forKey key: Key) throws { try whole(key, value) }
  func encode(_ value: UInt8, forKey key: Key) throws { try whole(key, value) }
  func encode(_ value: UInt16, forKey key: Key) throws { try whole(key, value) }
  func encode(_ value: UInt32, forKey key: Key) throws { try whole(key, value) }
  func encode(_ value: UInt64, forKey key: Key) throws { try whole(key, value) }
  func encode<T: Encodable>(_ value: T, forKey key: Key) throws { tree.set(key.stringValue, try EncodedTree.member(value)) }

  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
    nested(key.stringValue).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { nested(key.stringValue).unkeyedContainer() }
  func superEncoder() -> any Encoder { nested("super") }
  func superEncoder(forKey key: Key) -> any Encoder { nested(key.stringValue) }

  private func nested(_ name: String) -> TreeEncoder {
    let member = EncodedTree()
    tree.set(name, member)
    return TreeEncoder(tree: member)
  }
}

private struct TreeElements: UnkeyedEncodingContainer {
  let tree: EncodedTree
  var codingPath: [any CodingKey] { [] }
  var count: Int { tree.elementCount }

  private func whole(_ value: some FixedWidthInteger) throws { tree.append(try EncodedTree.whole(value)) }

  func encodeNil() { tree.append(EncodedTree(.null)) }
  func encode(_ value: Bool) { tree.append(EncodedTree(.boolean(value))) }
  func encode(_ value: String) { tree.append(EncodedTree(.string(value))) }
  func encode(_ value: Double) { tree.append(EncodedTree(.double(value))) }
  func encode(_ value: Float) { tree.append(EncodedTree(.double(Double(value)))) }
  func encode(_ value: Int) { tree.append(EncodedTree(.whole(value))) }
  func encode(_ value: Int64) { tree.append(EncodedTree(.int64(value))) }
  func encode(_ value: Int8) throws { try whole(value) }
  func encode(_ value: Int16) throws { try whole(value) }
  func encode(_ value: Int32) throws { try whole(value) }
  func encode(_ value: UInt) throws { try whole(value) }
  func encode(_ value: UInt8) throws { try whole(value) }
  func encode(_ value: UInt16) throws { try whole(value) }
  func encode(_ value: UInt32) throws { try whole(value) }
  func encode(_ value: UInt64) throws { try whole(value) }
  func encode<T: Encodable>(_ value: T) throws { tree.append(try EncodedTree.member(value)) }

  func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> { nested().container(keyedBy: type) }
  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { nested().unkeyedContainer() }
  func superEncoder() -> any Encoder { nested() }

  private func nested() -> TreeEncoder {
    let element = EncodedTree()
    tree.append(element)
    return TreeEncoder(tree: element)
  }
}

private struct TreeValue: SingleValueEncodingContainer {
  let tree: EncodedTree
  var codingPath: [any CodingKey] { [] }

  private func put(_ content: EncodedTree.Content) { tree.put(EncodedTree(content)) }

  func encodeNil() { put(.null) }
  func encode(_ value: Bool) { put(.boolean(value)) }
  func encode(_ value: String) { put(.string(value)) }
  func encode(_ value: Double) { put(.double(value)) }
  func encode(_ value: Float) { put(.double(Double(value))) }
  func encode(_ value: Int) { put(.whole(value)) }
  func encode(_ value: Int64) { put(.int64(value)) }
  func encode(_ value: Int8) throws { tree.put(try EncodedTree.whole(value)) }
  func encode(_ value: Int16) throws { tree.put(try EncodedTree.whole(value)) }
  func encode(_ value: Int32) throws { tree.put(try EncodedTree.whole(value)) }
  func encode(_ value: UInt) throws { tree.put(try EncodedTree.whole(value)) }
  func encode(_ value: UInt8) throws { tree.put(try EncodedTree.whole(value)) }
  func encode(_ value: UInt16) throws { tree.put(try EncodedTree.whole(value)) }
  func encode(_ value: UInt32) throws { tree.put(try EncodedTree.whole(value)) }
  func encode(_ value: UInt64) throws { tree.put(try EncodedTree.whole(value)) }
  func encode<T: Encodable>(_ value: T) throws { tree.put(try EncodedTree.member(value)) }
}
