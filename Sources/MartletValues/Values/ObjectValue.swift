/// The fields of an object, kept in the order of their names' UTF-8 bytes.
///
/// A dictionary would hash each name and forget the order, and the order is needed whenever an object is compared, written or made into an index key.
/// Objects have few fields, so a sorted array is smaller and faster: finding a field is a binary search, setting one moves those after it.
public struct ObjectValue: Sendable {
  public typealias Element = (key: String, value: Value)

  private var fields: [Element]

  public init() { fields = [] }

  /// Takes fields in any order. A name given twice is a programmer's error, and stops the program.
  public init(uniqueFields: some Sequence<(String, Value)>) {
    guard let object = ObjectValue(distinct: uniqueFields.map { (key: $0.0, value: $0.1) }) else {
      preconditionFailure("an object's field is given twice")
    }
    self = object
  }

  public init(_ dictionary: [String: Value]) {
    // Keys that differ for a dictionary differ in their UTF-8 also.
    self.init(uniqueFields: dictionary.map { ($0.key, $0.value) })
  }

  /// Nil where a name stands twice.
  package init?(distinct fields: [Element]) {
    self.fields = fields
    guard !isSorted else { return }
    self.fields.sort { Value.order(utf8: $0.key, $1.key) < 0 }
    guard isSorted else { return nil }
  }

  private var isSorted: Bool {
    guard fields.count > 1 else { return true }
    return (1..<fields.count).allSatisfy { Value.order(utf8: fields[$0 - 1].key, fields[$0].key) < 0 }
  }

  /// O(log n) to read, O(n) to add or remove. Setting nil removes the field.
  public subscript(key: String) -> Value? {
    get {
      let (index, isFound) = place(of: key)
      // Not `isFound ? … : nil`: that nil would be the value null.
      guard isFound else { return nil }
      return fields[index].value
    }
    set {
      let (index, isFound) = place(of: key)
      switch (newValue, isFound) {
      case (let value?, true): fields[index].value = value
      case (let value?, false): fields.insert((key, value), at: index)
      case (nil, true): fields.remove(at: index)
      case (nil, false): break
      }
    }
  }

  private func place(of key: String) -> (index: Int, isFound: Bool) {
    var low = 0
    var high = fields.count
    while low < high {
      let middle = (low + high) / 2
      let order = Value.order(utf8: fields[middle].key, key)
      if order == 0 { return (middle, true) }
      if order < 0 { low = middle + 1 } else { high = middle }
    }
    return (low, false)
  }
}

extension ObjectValue: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { fields.count }
  public subscript(index: Int) -> Element { fields[index] }
}

extension ObjectValue: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, Value)...) { self.init(uniqueFields: elements) }
}

extension ObjectValue: Hashable, Comparable {
  /// As sequences of (name, value): the first names, then their values, then the next names; a prefix comes first.
  static func order(_ left: ObjectValue, _ right: ObjectValue) -> Int {
    for index in 0..<Swift.min(left.count, right.count) {
      let names = Value.order(utf8: left[index].key, right[index].key)
      if names != 0 { return names }
      let values = Value.order(left[index].value, right[index].value)
      if values != 0 { return values }
    }
    return left.count - right.count
  }

  public static func == (left: ObjectValue, right: ObjectValue) -> Bool { order(left, right) == 0 }

  public static func < (left: ObjectValue, right: ObjectValue) -> Bool { order(left, right) < 0 }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(count)
    for (key, value) in fields {
      key.withUTF8Bytes { hasher.combine(bytes: $0) }
      value.hash(into: &hasher)
    }
  }
}

extension ObjectValue: CustomStringConvertible {
  public var description: String { Value.object(self).json }
}
