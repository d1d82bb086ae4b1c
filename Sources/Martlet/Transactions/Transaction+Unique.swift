import MartletWire

/// Unique indexes.
extension Transaction {
  /// Throws where another document has the same values in the fields of a unique index.
  ///
  /// Looked at with each write and not at the end, so that the error comes from the write that is to blame. The range is read
  /// like any other, its absence of documents included: of two mutations that want the same value at the same time, the second
  /// one finds the first one's. O(log n) for each unique index of which the write changes a field.
  func requireUnique(_ new: DocumentStorage, replacing old: DocumentStorage?, in table: StoredTable) throws {
    for slot in table.layout.uniqueIndexes {
      let index = table.layout.indexes[slot.declaredPosition]
      if let old, index.hasSameFields(old, new) { continue }
      guard let values = index.values(of: new) else { continue }
      let lower = index.key(of: new, with: &scratch.keys).with(tie: 0)
      let range = ReadRange(table: table.layout.number, index: slot, lower: lower, upper: lower.prefixSuccessor())
      try charge()
      note(range: range)
      var isTaken = false
      view(of: table).contents.forEach(in: slot, from: range.lower, to: range.upper, descending: false) { _, document in
        isTaken = document.id != new.id
        return !isTaken
      }
      guard isTaken else { continue }
      throw ApplicationError.notUnique(values, in: table.layout, index)
    }
  }
}

extension ApplicationError {
  static func notUnique(_ values: [Value], in table: TableLayout, _ index: IndexLayout) -> ApplicationError {
    let fields = zip(table.definition.indexes.first { $0.name == index.name }?.fields ?? [], values)
      .map { "\($0) \($1.json)" }.joined(separator: " and ")
    return ApplicationError(
      "table \(table.name) has a document with \(fields) already, and its index \(index.name) is unique",
      data: [
        "code": "not_unique", "table": .string(table.name), "index": .string(index.name), "values": .array(values),
      ])
  }
}
