/// A JSON value, and how a patch changes it: the page of the protocol, read by another client.
enum JSONTree: Decodable, Equatable {
  case null
  case boolean(Bool)
  case number(Double)
  case string(String)
  case list([JSONTree])
  case object([String: JSONTree])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .boolean(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([JSONTree].self) {
      self = .list(value)
    } else {
      self = .object(try container.decode([String: JSONTree].self))
    }
  }

  mutating func apply(_ patch: JSONTree) throws {
    guard case .list(let operations) = patch else { throw BenchmarkError("a patch is a list") }
    for case .list(let operation) in operations {
      guard operation.count >= 2, case .string(let verb) = operation[0], case .list(let path) = operation[1] else {
        throw BenchmarkError("no operation: \(operation)")
      }
      try apply(verb, path[...], Array(operation[2...]))
    }
  }

  private mutating func apply(_ verb: String, _ path: ArraySlice<JSONTree>, _ values: [JSONTree]) throws {
    switch (self, path.first) {
    case (.object(var members), .string(let name)?):
      if path.count > 1 {
        try members[name]?.apply(verb, path.dropFirst(), values)
      } else {
        members[name] = verb == "set" ? values[0] : nil
      }
      self = .object(members)
    case (.list(var elements), .number(let number)?):
      let index = Int(number)
      switch verb {
      case _ where path.count > 1: try elements[index].apply(verb, path.dropFirst(), values)
      case "set": elements[index] = values[0]
      case "insert": elements.insert(contentsOf: values, at: index)
      case "remove": elements.removeSubrange(index..<(index + (values.first?.index ?? 1)))
      case "move": elements.insert(elements.remove(at: index), at: values[0].index)
      default: throw BenchmarkError("no operation: \(verb)")
      }
      self = .list(elements)
    default: throw BenchmarkError("a path leads nowhere: \(path)")
    }
  }

  private var index: Int { if case .number(let number) = self { Int(number) } else { 0 } }
}
