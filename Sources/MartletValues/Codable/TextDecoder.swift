/// A `Decoder` over JSON text, without a tree in between: an object's members are found once, and read where they stand when they are asked for.
///
/// What was expected and found is said by `ValidationError`s with paths, as a validator would; so `codingPath` stays empty. Members
/// that nobody asks for are passed over: who wants them refused checks the text's shape first.
///
/// The text is borrowed. A type that kept its decoder, and used it when `init(from:)` has returned, would read memory that may be gone: that is
/// looked for at every access, and stops the program.
struct TextDecoder: Decoder {
  let reader: JSONReader
  let loan: Loan

  /// Whether the text may still be read.
  final class Loan {
    fileprivate var isOver = false
    @inline(__always) func check() { precondition(!isOver, "a decoder is used after init(from:) has returned") }
  }

  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  /// Reads the value that the reader stands before.
  static func decode<T: Decodable>(_ type: T.Type, at reader: JSONReader) throws -> T {
    let loan = Loan()
    defer { loan.isOver = true }
    return try TextDecoder(reader: reader, loan: loan).value(type)
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(try TextMembers<Key>(self))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer { try TextElements(self) }
  func singleValueContainer() -> any SingleValueDecodingContainer { TextValue(decoder: self) }

  func inside(at position: Int) -> TextDecoder { TextDecoder(reader: reader.inside(at: position), loan: loan) }

  /// A type that reads itself does; any other is asked to decode itself.
  func value<T: Decodable>(_ type: T.Type) throws -> T {
    loan.check()
    if !(type is any CodableWireValue.Type), let wire = type as? any WireValue.Type {
      var reader = reader
      guard let value = try wire.decode(from: &reader) as? T else { preconditionFailure("\(type) is what it decodes") }
      return value
    }
    return try Self.coded(type, self)
  }

  private static func coded<T: Decodable>(_ type: T.Type, _ decoder: TextDecoder) throws -> T {
    do { return try T(from: decoder) } catch let error as DecodingError { throw error.asValidationError(type) }
  }

  func scalar<T: WireValue>(_ type: T.Type) throws -> T {
    loan.check()
    var reader = reader
    return try T.decode(from: &reader)
  }

  func whole<N: FixedWidthInteger>(_ type: N.Type) throws -> N {
    let number = try scalar(Int.self)
    guard let value = N(exactly: number) else {
      throw ValidationError(expected: "whole number from \(N.min) to \(N.max)", found: "\(number)")
    }
    return value
  }

  var isNull: Bool {
    get throws {
      loan.check()
      var reader = reader
      return try reader.peek() == .null
    }
  }
}

extension JSONReader {
  /// The next value as a type that decodes itself; members that the type doesn't ask for are passed over. Consumes nothing.
  package func decode<T: Decodable>(_ type: T.Type) throws -> T { try TextDecoder.decode(type, at: self) }
}

extension DecodingError {
  fileprivate func asValidationError(_ type: Any.Type) -> ValidationError {
    switch self {
    case .keyNotFound(let key, _): ValidationError(path: [.field(key.stringValue)], expected: "a value", found: "nothing")
    case .valueNotFound(let expected, _): ValidationError(expected: "\(expected)", found: "null")
    case .typeMismatch(let expected, let context): ValidationError(expected: "\(expected)", found: "another value (\(context.debugDescription))")
    case .dataCorrupted(let context): ValidationError(expected: "\(type)", found: "a value that is none (\(context.debugDescription))")
    @unknown default: ValidationError(expected: "\(type)", found: "a value that is none")
    }
  }
}

private struct TextMembers<Key: CodingKey>: KeyedDecodingContainerProtocol {
  private struct Member {
    /// The name, a part of the text; where it is written with escapes, a copy of it without.
    var lent: UnsafeRawBufferPointer
    var copied: String?
    var position: Int
  }

  private let decoder: TextDecoder
  private var members: ContiguousArray<Member> = []
  var codingPath: [any CodingKey] { [] }

  init(_ decoder: TextDecoder) throws {
    decoder.loan.check()
    self.decoder = decoder
    var reader = decoder.reader
    try reader.expect("object")
    try reader.readObject { reader, key throws in
      let isLent = reader.isLent(key)
      members.append(
        Member(lent: isLent ? key : UnsafeRawBufferPointer(start: nil, count: 0), copied: isLent ? nil : String(utf8Bytes: key),
          position: try reader.skipValue().lowerBound))
    }
  }

  private func find(_ name: String) -> TextDecoder? {
    decoder.loan.check()
    for member in members where member.copied.map({ $0.utf8.elementsEqual(name.utf8) }) ?? member.lent.equals(name) {
      return decoder.inside(at: member.position)
    }
    return nil
  }

  private func read<R>(_ key: Key, _ expected: @autoclosure () -> String, _ body: (TextDecoder) throws -> R) throws -> R {
    let name = key.stringValue
    guard let member = find(name) else { throw ValidationError(path: [.field(name)], expected: expected(), found: "nothing") }
    do { return try body(member) } catch { throw ValidationError.prefixing(error, .field(name)) }
  }

  var allKeys: [Key] {
    decoder.loan.check()
    return members.compactMap { Key(stringValue: $0.copied ?? String(utf8Bytes: $0.lent)) }
  }

  func contains(_ key: Key) -> Bool { find(key.stringValue) != nil }
  func decodeNil(forKey key: Key) throws -> Bool { try find(key.stringValue)?.isNull ?? true }
  func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try read(key, "boolean") { try $0.scalar(type) } }
  func decode(_ type: String.Type, forKey key: Key) throws -> String { try read(key, "string") { try $0.scalar(type) } }
  func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try read(key, "number") { try $0.scalar(type) } }
  func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try read(key, "number") { Float(try $0.scalar(Double.self)) } }
  func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try read(key, "whole number") { try $0.scalar(type) } }
  func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try read(key, "int64") { try $0.scalar(type) } }
  func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try read(key, "whole number") { try $0.whole(type) } }
  func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try read(key, "whole number") { try $0.whole(type) } }
  func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try read(key, "whole number") { try $0.whole(type) } }
  func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try read(key, "whole number") { try $0.whole(type) } }
  func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try read(key, "whole number") { try $0.whole(type) } }
  func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try read(key, "whole number") { try $0.whole(type) } }
  func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try read(key, "whole number") { try $0.whole(type) } }
  func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try read(key, "whole number") { try $0.whole(type) } }
  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try read(key, "\(type)") { try $0.value(type) } }

  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
    try read(key, "object") { try $0.container(keyedBy: type) }
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { try read(key, "array") { try $0.unkeyedContainer() } }
  func superDecoder(forKey key: Key) throws -> any Decoder { try read(key, "object") { $0 } }

  func superDecoder() throws -> any Decoder {
    guard let member = find("super") else { throw ValidationError(path: [.field("super")], expected: "object", found: "nothing") }
    return member
  }
}

private struct TextElements: UnkeyedDecodingContainer {
  private let decoder: TextDecoder
  private var positions: ContiguousArray<Int> = []
  private(set) var currentIndex = 0
  var codingPath: [any CodingKey] { [] }
  var count: Int? { positions.count }
  var isAtEnd: Bool { currentIndex >= positions.count }

  init(_ decoder: TextDecoder) throws {
    decoder.loan.check()
    self.decoder = decoder
    var reader = decoder.reader
    try reader.expect("array")
    try reader.readArray { reader throws in positions.append(try reader.skipValue().lowerBound) }
  }

  private mutating func read<R>(_ body: (TextDecoder) throws -> R) throws -> R {
    decoder.loan.check()
    guard !isAtEnd else { throw ValidationError(path: [.index(currentIndex)], expected: "one element more", found: "the array's end") }
    do {
      let value = try body(decoder.inside(at: positions[currentIndex]))
      currentIndex += 1
      return value
    } catch { throw ValidationError.prefixing(error, .index(currentIndex)) }
  }

  mutating func decodeNil() throws -> Bool {
    guard !isAtEnd, try decoder.inside(at: positions[currentIndex]).isNull else { return false }
    currentIndex += 1
    return true
  }

  mutating func decode(_ type: Bool.Type) throws -> Bool { try read { try $0.scalar(type) } }
  mutating func decode(_ type: String.Type) throws -> String { try read { try $0.scalar(type) } }
  mutating func decode(_ type: Double.Type) throws -> Double { try read { try $0.scalar(type) } }
  mutating func decode(_ type: Float.Type) throws -> Float { try read { Float(try $0.scalar(Double.self)) } }
  mutating func decode(_ type: Int.Type) throws -> Int { try read { try $0.scalar(type) } }
  mutating func decode(_ type: Int64.Type) throws -> Int64 { try read { try $0.scalar(type) } }
  mutating func decode(_ type: Int8.Type) throws -> Int8 { try read { try $0.whole(type) } }
  mutating func decode(_ type: Int16.Type) throws -> Int16 { try read { try $0.whole(type) } }
  mutating func decode(_ type: Int32.Type) throws -> Int32 { try read { try $0.whole(type) } }
  mutating func decode(_ type: UInt.Type) throws -> UInt { try read { try $0.whole(type) } }
  mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try read { try $0.whole(type) } }
  mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try read { try $0.whole(type) } }
  mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try read { try $0.whole(type) } }
  mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try read { try $0.whole(type) } }
  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try read { try $0.value(type) } }

  mutating func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    try read { try $0.container(keyedBy: type) }
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try read { try $0.unkeyedContainer() } }
  mutating func superDecoder() throws -> any Decoder { try read { $0 } }
}

private struct TextValue: SingleValueDecodingContainer {
  let decoder: TextDecoder
  var codingPath: [any CodingKey] { [] }

  func decodeNil() -> Bool { (try? decoder.isNull) ?? false }
  func decode(_ type: Bool.Type) throws -> Bool { try decoder.scalar(type) }
  func decode(_ type: String.Type) throws -> String { try decoder.scalar(type) }
  func decode(_ type: Double.Type) throws -> Double { try decoder.scalar(type) }
  func decode(_ type: Float.Type) throws -> Float { Float(try decoder.scalar(Double.self)) }
  func decode(_ type: Int.Type) throws -> Int { try decoder.scalar(type) }
  func decode(_ type: Int64.Type) throws -> Int64 { try decoder.scalar(type) }
  func decode(_ type: Int8.Type) throws -> Int8 { try decoder.whole(type) }
  func decode(_ type: Int16.Type) throws -> Int16 { try decoder.whole(type) }
  func decode(_ type: Int32.Type) throws -> Int32 { try decoder.whole(type) }
  func decode(_ type: UInt.Type) throws -> UInt { try decoder.whole(type) }
  func decode(_ type: UInt8.Type) throws -> UInt8 { try decoder.whole(type) }
  func decode(_ type: UInt16.Type) throws -> UInt16 { try decoder.whole(type) }
  func decode(_ type: UInt32.Type) throws -> UInt32 { try decoder.whole(type) }
  func decode(_ type: UInt64.Type) throws -> UInt64 { try decoder.whole(type) }
  func decode<T: Decodable>(_ type: T.Type) throws -> T { try decoder.value(type) }
}
