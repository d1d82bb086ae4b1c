// Martlet's own types as members of `Codable` types. Its own coders read and write them as they are on the wire, by `WireValue`; what stands here is
// how any other coder (Foundation's, say) sees them.

extension DocumentID: Codable {
  public init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let id = DocumentID(text) else {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "not a document's id"))
    }
    self = id
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension Null: Codable {
  public init(from decoder: any Decoder) throws {
    guard try decoder.singleValueContainer().decodeNil() else {
      throw DecodingError.typeMismatch(Null.self, .init(codingPath: decoder.codingPath, debugDescription: "not null"))
    }
    self.init()
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encodeNil()
  }
}

extension Bytes: Codable {
  /// An array of numbers.
  public init(from decoder: any Decoder) throws { self.init(try decoder.singleValueContainer().decode([UInt8].self)) }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(bytes)
  }
}

extension Value: Codable {
  /// What JSON has: neither int64 nor bytes are ever read from another coder.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let boolean = try? container.decode(Bool.self) {
      self = .boolean(boolean)
    } else if let number = try? container.decode(Double.self) {
      self = .float64(number)
    } else if let string = try? container.decode(String.self) {
      self = .string(string)
    } else if let elements = try? container.decode([Value].self) {
      self = .array(elements)
    } else {
      self = .object(ObjectValue(try container.decode([String: Value].self)))
    }
  }

  /// An int64 becomes a number, bytes an array of numbers.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .int64(let integer): try container.encode(integer)
    case .float64(let double): try container.encode(double)
    case .boolean(let boolean): try container.encode(boolean)
    case .string(let string): try container.encode(string)
    case .bytes(let bytes): try container.encode(bytes)
    case .array(let elements): try container.encode(elements)
    case .object(let object): try container.encode(Dictionary(uniqueKeysWithValues: object.map { ($0.key, $0.value) }))
    }
  }
}
