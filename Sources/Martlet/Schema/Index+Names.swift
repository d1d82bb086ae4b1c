extension Index {
  /// An index by the fields' names on the wire: for members of objects that no key path leads to (of `Codable` types, of records, of `any`), and for
  /// fields that the schema doesn't declare.
  ///
  /// ```swift
  /// let byCity = Index<Customers>("by_city", fields: ["address.city", "name"])
  /// ```
  ///
  /// Its ranges name the fields likewise: `$0.eq("address.city", "Oslo")`.
  public init(_ name: String? = nil, fields names: [String], summing: String? = nil, unique: Bool = false) {
    label = Label(name)
    fields = { _ in names.map { Label(path: $0) } }
    if let summing { summed = { _ in Label(path: summing) } } else { summed = nil }
    isUnique = unique
  }

  /// An index by one field's name.
  public init(_ name: String? = nil, path: String, summing: String? = nil, unique: Bool = false) {
    self.init(name, fields: [path], summing: summing, unique: unique)
  }
}
