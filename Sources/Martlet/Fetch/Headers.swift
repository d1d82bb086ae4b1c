/// The header fields of a request or a response, in their order. Names are compared without regard to case, and one name may have several values.
///
/// ```swift
/// var headers: Headers = ["accept": "application/json"]
/// headers.add("cookie", "a=1")
/// headers["ACCEPT"]            // application/json
/// response.headers.all("set-cookie")
/// ```
public struct Headers: Sendable {
  private var fields: [(name: String, value: String)] = []

  public init() {}

  /// The first value of a name. Setting it replaces all of them, or removes them with nil.
  public subscript(name: String) -> String? {
    get { fields.first { Self.isSame($0.name, name) }?.value }
    set {
      fields.removeAll { Self.isSame($0.name, name) }
      if let newValue { fields.append((name, newValue)) }
    }
  }

  public func all(_ name: String) -> [String] { fields.filter { Self.isSame($0.name, name) }.map(\.value) }

  /// Adds a value beside those that the name has.
  public mutating func add(_ name: String, _ value: String) { fields.append((name, value)) }

  /// Of ASCII letters alone: a header's name has no others.
  static func isSame(_ left: String, _ right: String) -> Bool {
    let left = left.utf8
    let right = right.utf8
    return left.count == right.count && zip(left, right).allSatisfy { lowercased($0) == lowercased($1) }
  }

  private static func lowercased(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
  }
}

extension Headers: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { fields.count }
  public subscript(index: Int) -> (name: String, value: String) { fields[index] }
}

extension Headers: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, String)...) { fields = elements.map { ($0, $1) } }
}

extension Headers: Equatable {
  public static func == (left: Headers, right: Headers) -> Bool {
    left.count == right.count && zip(left, right).allSatisfy { isSame($0.name, $1.name) && $0.value == $1.value }
  }
}
