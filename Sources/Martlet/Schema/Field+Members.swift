// Key paths through a field into the object that it holds. They are for indexes: `Index("by_city", \Customers.address.city)`, and for their ranges,
// `$0.eq(\.address.city, "Oslo")`. What a property of the Swift type is called on the wire, and what it may hold, is known for the properties that the
// field's validator was declared with, by `.object(Property…)`. A `Codable` type names no key paths: an index of its members gives their names.

extension Field {
  public subscript<V: Sendable>(dynamicMember member: KeyPath<Value, V>) -> Field<V> {
    self.member(member) { $0 }
  }

  /// A member of an object that may be absent is absent with it.
  public subscript<Object: Sendable, V: Sendable>(dynamicMember member: KeyPath<Object, V>) -> Field<V?> where Value == Object? {
    self.member(member) { .optional($0) }
  }

  public subscript<Object: Sendable, V: Sendable>(dynamicMember member: KeyPath<Object, V?>) -> Field<V?> where Value == Object? {
    self.member(member) { $0 }
  }

  private func member<V, Result>(_ keyPath: AnyKeyPath, _ wrap: (Validator<V>) -> Validator<Result>) -> Field<Result> {
    if let problem = label.problem { return .unknown(Label(problem: problem)) }
    for member in validator.members where member.keyPath == keyPath {
      guard let validator = member.validator as? Validator<V> else { break }
      return Field<Result>(Label(member: member.name, of: label), wrap(validator))
    }
    return .unknown(Label(problem: problem(keyPath)))
  }

  private func problem(_ keyPath: AnyKeyPath) -> String {
    guard !validator.members.isEmpty else {
      return "\(wireName) is \(shape.unwrapped), whose members have no key paths: name the field, as in path: \"\(wireName).member\""
    }
    let names = validator.members.map(\.name).joined(separator: ", ")
    return "\(wireName) has no Property for the key path \(keyPath); its validator declares \(names)"
  }
}

extension Field {
  /// Stands for a member that isn't declared. Whoever uses it finds the problem in its label.
  fileprivate static func unknown(_ label: Label) -> Field {
    Field(
      label,
      Validator(
        shape: .any, decode: { _ in throw ValidationError(expected: "a declared member", found: "another") }, encode: { $1.writeNull() }))
  }
}
