package import MartletValues

/// Carries ids over from another database, in which the tables have other numbers.
///
/// An id holds its table's number and 128 bits of its own. The bits are kept and the number is exchanged, so a document and every reference to it
/// still agree, without a list of all ids. Where the numbers are the same, ids are.
///
/// What counts as an id: any string, and any name of an object's member, that is well formed as one, its checksum included, and is of a table that
/// is imported. Of random texts of 32 such characters, one in 2^32 happens to be one of a given table.
package struct IDMapping: Sendable {
  private let numbers: [UInt32: UInt32]

  /// - Parameter numbers: the tables' numbers there, each with the one here.
  package init(_ numbers: [UInt32: UInt32]) { self.numbers = numbers.filter { $0 != $1 } }

  package var isIdentity: Bool { numbers.isEmpty }

  package func mapped(_ text: String) -> String {
    guard DocumentID.textLengths.contains(text.utf8.count), let id = DocumentID(text), let number = numbers[id.tableNumber] else { return text }
    return DocumentID(tableNumber: number, high: id.high, low: id.low).description
  }

  package func mapped(_ object: ObjectValue) -> ObjectValue {
    if isIdentity { return object }
    // Different ids stay different, so names stay unique.
    return ObjectValue(uniqueFields: object.map { (mapped($0.key), mapped($0.value)) })
  }

  private func mapped(_ value: Value) -> Value {
    switch value {
    case .string(let text): .string(mapped(text))
    case .array(let elements): .array(elements.map(mapped))
    case .object(let object): .object(mapped(object))
    default: value
    }
  }
}
