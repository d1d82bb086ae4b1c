import MartletValues

/// Patches as docs/protocol.md has them, carried out on trees of values, as a client in another language would: what the library's own
/// way, which works on text, is compared with.
extension Value {
  package struct PatchFailure: Error, CustomStringConvertible {
    package var description: String
  }

  package func patched(by patch: Value) throws -> Value {
    guard case .array(let operations) = patch else { throw PatchFailure(description: "a patch is a list: \(patch)") }
    var result = self
    for operation in operations { try result.carryOut(operation) }
    return result
  }

  private mutating func carryOut(_ operation: Value) throws {
    guard case .array(let parts) = operation, parts.count >= 2, case .string(let verb) = parts[0], case .array(let path) = parts[1]
    else { throw PatchFailure(description: "no operation: \(operation)") }
    let values = parts[2...]
    if verb == "set", path.isEmpty, values.count == 1 { return self = parts[2] }
    try withParent(path[...]) { parent, last in
      switch (parent, last, verb, values.count) {
      case (.object(var object), .string(let name), "set", 1):
        object[name] = parts[2]
        parent = .object(object)
      case (.object(var object), .string(let name), "unset", 0) where object[name] != nil:
        object[name] = nil
        parent = .object(object)
      case (.array(var list), _, _, _):
        let index = try last.index(below: verb == "insert" ? list.count + 1 : list.count, operation)
        switch (verb, values.count) {
        case ("set", 1): list[index] = parts[2]
        case ("insert", 1...): list.insert(contentsOf: values, at: index)
        case ("remove", 0): list.remove(at: index)
        case ("remove", 1): list.removeSubrange(index..<(index + (try parts[2].index(below: list.count - index + 1, operation))))
        case ("move", 1): list.insert(list.remove(at: index), at: try parts[2].index(below: list.count + 1, operation))
        default: throw PatchFailure(description: "no operation on a list: \(operation)")
        }
        parent = .array(list)
      default: throw PatchFailure(description: "\(operation) doesn't fit")
      }
    }
  }

  private mutating func withParent(_ path: ArraySlice<Value>, _ body: (inout Value, Value) throws -> Void) throws {
    guard let step = path.first else { throw PatchFailure(description: "the path is empty") }
    guard path.count > 1 else { return try body(&self, step) }
    switch (self, step) {
    case (.object(var object), .string(let name)):
      guard var member = object[name] else { throw PatchFailure(description: "there is no \(name)") }
      try member.withParent(path.dropFirst(), body)
      object[name] = member
      self = .object(object)
    case (.array(var list), _):
      try list[step.index(below: list.count, step)].withParent(path.dropFirst(), body)
      self = .array(list)
    default: throw PatchFailure(description: "a path leads through \(kindName) by \(step)")
    }
  }

  private func index(below limit: Int, _ operation: Value) throws -> Int {
    guard case .float64(let number) = self, let index = Int(exactly: number), (0..<max(limit, 0)).contains(index) else {
      throw PatchFailure(description: "\(self) is no index: \(operation)")
    }
    return index
  }
}
