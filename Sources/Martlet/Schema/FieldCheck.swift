/// What is looked at in a field before an app starts: that documents can have what it declares.
extension TableDefinition.Field {
  /// - Throws: what says why they can't.
  func check() throws {
    if let name = shape.illNamedMember {
      throw SchemaError(
        "\(Value.string(name).json) can't be the name of a member: it takes 1 to 1,024 printable ASCII characters, and doesn't begin with $")
    }
    guard let standard else { return }
    do {
      try standard.withUnsafeBytes { json in
        var reader = JSONReader(json)
        try shape.check(&reader)
        try checkObjects?(json)
      }
    } catch { throw SchemaError("its default doesn't fit: \(error)") }
  }
}

extension ValidatorShape {
  /// A member that is declared somewhere within, and that no value can have: names are written without escapes, and read back by the same rule.
  fileprivate var illNamedMember: String? {
    switch self {
    case .object(let members):
      for member in members {
        let isFit = member.name.utf8.allSatisfy { (0x20...0x7E).contains($0) } && (1...1_024).contains(member.name.utf8.count)
        if !isFit || member.name.hasPrefix("$") { return member.name }
        if let name = member.shape.illNamedMember { return name }
      }
      return nil
    case .array(let shape), .record(let shape), .optional(let shape): return shape.illNamedMember
    case .union(let shapes): return shapes.lazy.compactMap(\.illNamedMember).first
    default: return nil
    }
  }
}
