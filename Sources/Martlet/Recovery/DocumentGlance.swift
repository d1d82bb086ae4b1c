/// Tells of most stored documents that they fit their table without reading them through.
///
/// What recovery has just made is canonical JSON; so whether a value is a string, a boolean or a number shows in its first byte. The
/// whole check, which reads each document once more, took two fifths of the processor time of a restart. A document that holds anything else, or doesn't fit, is left to that check, which knows the words for it.
struct DocumentGlance: Sendable {
  private enum Kind {
    case string, boolean, number, wholeNumber, ownID
    case id(tableNumber: UInt32)
    case other
  }

  private struct Member {
    let name: InternedName
    let isOptional: Bool
    let kind: Kind
  }

  /// In the order of their names, as a document's fields are.
  private let members: [Member]

  /// Nil where a look at single fields can't tell.
  init?(_ layout: TableLayout, numbers: [String: UInt32]) {
    guard case .object(let members) = layout.shape, !layout.definition.allowsOtherFields, layout.objectFields.isEmpty else { return nil }
    self.members = members.map { member in
      let kind: Kind =
        switch member.shape {
        case .string: .string
        case .boolean: .boolean
        case .float64: .number
        case .wholeNumber: .wholeNumber
        case .id where member.name == "_id": .ownID
        case .id(let table): numbers[table].map { .id(tableNumber: $0) } ?? .other
        default: .other
        }
      return Member(name: InternedName(member.name), isOptional: member.optional, kind: kind)
    }
    .sorted { compareBytes($0.name.bytes, $1.name.bytes) < 0 }
  }

  /// False: perhaps.
  func fits(_ document: DocumentStorage) -> Bool {
    members.withUnsafeBufferPointer { members in
      var next = 0
      for field in 0..<document.fieldCount {
        let name = document.name(ofField: field)
        while next < members.count, compareBytes(members[next].name.bytes, name) < 0 {
          guard members[next].isOptional else { return false }
          next += 1
        }
        guard next < members.count, compareBytes(members[next].name.bytes, name) == 0 else { return false }
        guard Self.isOf(members[next].kind, document.value(ofField: field)) else { return false }
        next += 1
      }
      while next < members.count {
        guard members[next].isOptional else { return false }
        next += 1
      }
      return true
    }
  }

  private static func isOf(_ kind: Kind, _ json: UnsafeRawBufferPointer) -> Bool {
    guard let first = json.first else { return false }
    let isDigit = { (byte: UInt8) in byte &- UInt8(ascii: "0") < 10 }
    switch kind {
    case .string: return first == UInt8(ascii: "\"")
    case .boolean: return first == UInt8(ascii: "t") || first == UInt8(ascii: "f")
    case .number: return isDigit(first) || first == UInt8(ascii: "-")
    // So many digits are less than 2^53.
    case .wholeNumber: return json.count <= 15 && json.allSatisfy(isDigit)
    // It was written by recovery.
    case .ownID: return true
    case .id(let number):
      guard first == UInt8(ascii: "\""), json.count > 2 else { return false }
      return DocumentID(utf8: UnsafeRawBufferPointer(rebasing: json[1..<json.count - 1]))?.tableNumber == number
    case .other: return false
    }
  }
}
