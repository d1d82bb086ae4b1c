/// What is looked at in an index before an app starts: that its fields exist, or can.
extension TableDefinition {
  static let mostIndexFields = 16

  /// - Throws: `SchemaError`
  func check(_ index: Index) throws {
    func refuse(_ reason: String) -> SchemaError { SchemaError("index \(index.name) of table \(name): \(reason)") }
    if let problem = index.problem { throw refuse(problem) }
    guard !index.fields.isEmpty else { throw refuse("it has no field") }
    guard index.fields.count <= Self.mostIndexFields else {
      throw refuse("it has \(index.fields.count) fields; \(Self.mostIndexFields) are the most")
    }
    var names: Set<String> = []
    for field in index.fields {
      guard names.insert(field).inserted else { throw refuse("field \"\(field)\" stands twice") }
      if field == "_creationTime" { throw refuse("every index ends with \"_creationTime\" by itself; leave it out") }
      if field == "_id" { throw refuse("\"_id\" is what by_id is for, which every table has") }
      if let problem = problem(ofPath: field) { throw refuse(problem) }
    }
    if let summed = index.summedField, let problem = problem(ofPath: summed) { throw refuse("summing: \(problem)") }
  }

  /// Two indexes by the same fields cost twice and say the same, unless they sum different ones.
  func checkDistinctIndexes() throws {
    var known: [[String]: String] = [:]
    for index in indexes {
      if let other = known.updateValue(index.name, forKey: index.fields + [index.summedField.map { "+" + $0 } ?? ""]) {
        throw SchemaError("indexes \(other) and \(index.name) of table \(name) have the same fields; remove one")
      }
    }
  }

  /// Why no document can have this field, or member of a field's object; nil where one can.
  private func problem(ofPath path: String) -> String? {
    let parts = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.allSatisfy({ !$0.isEmpty }) else { return "\"\(path)\" is no field's name" }
    guard let field = fields.first(where: { $0.name == parts[0] }) else {
      if allowsOtherFields { return nil }
      return "there is no field \"\(parts[0])\"; there are \(fields.map(\.name).joined(separator: ", "))"
    }
    return field.shape.problem(ofMembers: parts[1...], of: parts[0])
  }
}

extension ValidatorShape {
  /// Why no value of this shape can have the member that the names lead to.
  fileprivate func problem(ofMembers names: ArraySlice<String>, of path: String) -> String? {
    guard let name = names.first else { return nil }
    switch self {
    case .any, .record(.any): return nil
    case .record(let value): return value.problem(ofMembers: names.dropFirst(), of: path + "." + name)
    case .optional(let shape): return shape.problem(ofMembers: names, of: path)
    case .object(let members):
      guard let member = members.first(where: { $0.name == name }) else {
        return "\(path) has no member \"\(name)\"; it has \(members.map(\.name).joined(separator: ", "))"
      }
      return member.shape.problem(ofMembers: names.dropFirst(), of: path + "." + name)
    case .union(let shapes):
      let problems = shapes.map { $0.problem(ofMembers: names, of: path) }
      return problems.contains { $0 == nil } ? nil : problems.compactMap(\.self).first
    default: return "\(path) is \(self), which has no members"
    }
  }
}
