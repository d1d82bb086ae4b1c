/// Choosing among the shapes of a union, and saying why none of them does.
///
/// The shapes are tried in order. Trying one that doesn't fit costs an error, which is made of strings; in a union of objects that would be
/// most of the work. So a shape is ruled out beforehand where a glance is enough: the value is of another kind, or it is an object
/// whose literal member says something else (`kind: "circle"`). Nothing is allocated for that. Only where nothing fits are all shapes
/// tried again, for their reasons.
extension ValidatorShape {
  static func checkUnion(
    _ reader: inout JSONReader, _ shapes: [ValidatorShape], _ tableNumber: ((String) -> UInt32?)?, _ nullIsAbsent: Bool
  ) throws {
    let bookmark = reader
    var glance = try UnionGlance(reader)
    for shape in shapes where !glance.rulesOut(shape) {
      reader = bookmark
      do { return try shape.check(&reader, tableNumber: tableNumber, nullIsAbsent: nullIsAbsent) } catch is ValidationError {}
    }
    throw explain(bookmark, shapes) { position, reader in
      try shapes[position].check(&reader, tableNumber: tableNumber, nullIsAbsent: nullIsAbsent)
    }
  }

  /// Why the next value has none of the shapes. `attempt` reads it as one of them, and throws.
  @inline(never)
  static func explain(
    _ reader: JSONReader, _ shapes: [ValidatorShape], _ attempt: (Int, inout JSONReader) throws -> Void
  ) -> any Error {
    var bookmark = reader
    let found: String
    do { found = try bookmark.nextKindName() } catch { return error }
    var reasons: [ValidationError.Alternative] = []
    var allFound: Set<String> = []
    for (position, shape) in shapes.enumerated() {
      var reader = reader
      do { try attempt(position, &reader) } catch let error as ValidationError {
        if shapes.count == 1 { return error }
        allFound.insert(error.path.isEmpty ? error.found : found)
        // That a string is no number need not be said for each shape: it is what `found` says.
        guard !error.path.isEmpty || error.found != found || !error.alternatives.isEmpty else { continue }
        reasons.append(.init(shape: shape.brief, error: error))
      } catch { return error }
    }
    // A string that is none of three literals is "another string", of which no more is to be said.
    if allFound.count == 1, let only = allFound.first, reasons.allSatisfy(\.error.path.isEmpty) {
      return ValidationError(expected: ValidatorShape.union(shapes).briefChoice, found: only)
    }
    var error = ValidationError(expected: ValidatorShape.union(shapes).briefChoice, found: found)
    error.alternatives = mostTelling(reasons)
    return error
  }

  /// Of many reasons a few, in their order: first those of the shapes that agreed the furthest.
  private static func mostTelling(_ reasons: [ValidationError.Alternative]) -> [ValidationError.Alternative] {
    guard reasons.count > mostReasons else { return reasons }
    let chosen = reasons.indices.sorted { left, right in
      let (one, other) = (agreement(reasons[left].error), agreement(reasons[right].error))
      return one != other ? one > other : left < right
    }
    return chosen.prefix(mostReasons).sorted().map { reasons[$0] }
  }

  private static let mostReasons = 4

  /// How far a value is like a shape. A literal that differs says that another shape is meant, however deep it stands; so, less surely, does a member that
  /// is missing or one too many.
  private static func agreement(_ error: ValidationError) -> Int {
    if error.found.hasPrefix("another ") { return -1 }
    return error.path.count * 2 - (error.found == "nothing" || error.expected == ValidatorShape.noSuchField ? 1 : 0)
  }
}

/// A first look at a value that has one of several shapes.
struct UnionGlance {
  private let reader: JSONReader
  private let kind: JSONKind
  /// The member that was looked up last: in most unions all shapes are told apart by the same one.
  private var name: String?
  private var member: JSONReader?

  /// Looks at the next value, and consumes nothing.
  init(_ reader: JSONReader) throws {
    var reader = reader
    kind = try reader.peek()
    self.reader = reader
  }

  /// Whether the value certainly has another shape. False where that isn't seen at a glance.
  mutating func rulesOut(_ shape: ValidatorShape) -> Bool {
    switch shape {
    case .any, .union: false
    case .null: kind != .null
    case .boolean: kind != .boolean
    // Numbers that JSON can't spell, int64 and bytes stand as objects.
    case .float64, .wholeNumber: kind != .number && kind != .object
    case .int64, .bytes, .record: kind != .object
    case .string, .id, .enumeration: kind != .string
    case .array: kind != .array
    case .literal(.string(let text)): kind != .string || reader.isString(otherThan: text)
    case .literal: false
    case .optional(let shape): kind != .null && rulesOut(shape)
    case .object(let members): kind != .object || hasLiteral(otherThan: members)
    }
  }

  /// Whether the object has a string where one of `members` is the literal of another.
  private mutating func hasLiteral(otherThan members: [ValidatorShape.Member]) -> Bool {
    for member in members {
      guard case .literal(.string(let text)) = member.shape else { continue }
      if name != member.name {
        name = member.name
        self.member = (try? reader.memberReader(named: member.name)) ?? nil
      }
      if let value = self.member, value.isString(otherThan: text) { return true }
    }
    return false
  }
}

extension JSONReader {
  /// Whether the next value is a string, without escapes, that differs from `text`.
  fileprivate func isString(otherThan text: String) -> Bool {
    var reader = self
    guard (try? reader.peek()) == .string, let found = try? reader.readUnescapedString() else { return false }
    return !found.equals(text)
  }

  /// A reader in front of a member of the next value, which must be an object; nil where it has no such member.
  package func memberReader(named name: String) throws -> JSONReader? {
    var reader = self
    var found: JSONReader?
    try reader.readObject { reader, key throws in
      if found == nil, key.equals(name) { found = reader }
      _ = try reader.skipValue()
    }
    return found
  }
}

extension ValidatorShape {
  /// In a few words, for errors that name several shapes: of an object, the members that tell it from others.
  var brief: String {
    guard case .object(let members) = self else { return description.shortened(to: Self.longestBrief) }
    var telling = members.filter { if case .literal = $0.shape { true } else { false } }
    if telling.isEmpty { telling = Array(members.prefix(1)) }
    let text = telling.map { "\($0.name)\($0.optional ? "?" : ""): \($0.shape.brief)" } + (telling.count < members.count ? ["…"] : [])
    return "{" + text.joined(separator: ", ").shortened(to: Self.longestBrief) + "}"
  }

  /// The description, or where that is long the shapes in a few words each, and no more than a dozen of them.
  var briefChoice: String {
    guard case .union(let shapes) = self else { return description.shortened(to: Self.longestChoice) }
    let whole = description
    if whole.utf8.count <= Self.longestChoice { return whole }
    let named = shapes.prefix(12).map(\.brief).joined(separator: " or ")
    return shapes.count > 12 ? named + " or \(shapes.count - 12) others" : named
  }

  private static let longestBrief = 80
  private static let longestChoice = 240
}

extension String {
  /// At most so many characters, the last of them `…` where some are left out.
  func shortened(to count: Int) -> String {
    utf8.count <= count || self.count <= count ? self : prefix(count - 1) + "…"
  }
}
