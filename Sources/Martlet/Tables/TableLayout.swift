/// A table as the engine sees it: its number in ids, its definition, and its indexes' layouts. Immutable and shared.
package final class TableLayout: Sendable {
  package let number: UInt32
  package let definition: TableDefinition
  let indexes: [IndexLayout]
  /// What each document must be.
  let shape: ValidatorShape
  /// The fields that hold objects made by the app's own code.
  let objectFields: [TableDefinition.Field]
  /// The fields that a new document gets where a write leaves them out, each with its JSON.
  let defaults: [(name: InternedName, json: [UInt8])]
  /// The slots of the indexes in which no two documents may have the same values.
  let uniqueIndexes: [IndexSlot]
  /// Whether a write to the table is nothing but that: anybody may write, no other document stands in its way, no trigger runs after it.
  let hasPlainWrites: Bool

  package init(number: UInt32, definition: TableDefinition) {
    self.number = number
    self.definition = definition
    indexes = definition.indexes.map { IndexLayout($0) }
    shape = definition.documentShape
    defaults = definition.fields.compactMap { field in field.standard.map { (InternedName(field.name), $0) } }
    uniqueIndexes = definition.indexes.indices.filter { definition.indexes[$0].isUnique }.map { .declared($0) }
    hasPlainWrites = definition.triggers.isEmpty && uniqueIndexes.isEmpty && !definition.isSystem
    objectFields = definition.fields.filter { $0.checkObjects != nil }
  }

  package var name: String { definition.name }

  func slot(ofIndex name: String) -> IndexSlot? {
    switch name {
    case "by_id": .byID
    case "by_creation_time": .byCreationTime
    default: indexes.firstIndex { $0.name == name }.map { .declared($0) }
    }
  }

  /// What is said where an index is named that there isn't.
  func missingIndex(_ name: String) -> String {
    "table \(self.name) has no index \"\(name)\"; it has \((["by_id", "by_creation_time"] + indexes.map(\.name)).joined(separator: ", "))"
  }

  func name(of slot: IndexSlot) -> String {
    switch slot {
    case .byID: "by_id"
    case .byCreationTime: "by_creation_time"
    default: indexes[slot.declaredPosition].name
    }
  }

  /// Where a document stands in an index.
  func position(of document: DocumentStorage, in slot: IndexSlot, with keys: inout IndexKeyWriter) -> IndexKey {
    switch slot {
    case .byID: IndexKey(id: InternalID(document.id))
    case .byCreationTime: IndexKey(creationTime: document.creationTime)
    default: indexes[slot.declaredPosition].key(of: document, with: &keys)
    }
  }

  /// The fields that `slot` orders by, as a range may name them.
  func fields(of slot: IndexSlot) -> [String] {
    switch slot {
    case .byID: ["_id"]
    case .byCreationTime: ["_creationTime"]
    default: definition.indexes[slot.declaredPosition].fields + ["_creationTime"]
    }
  }
}
