/// How a declared index makes a key of a document: its fields, resolved once when the table is set up.
struct IndexLayout: Sendable {
  let name: String
  let fields: [ContiguousArray<UInt8>]
  let summedField: ContiguousArray<UInt8>?

  init(_ definition: TableDefinition.Index) {
    name = definition.name
    fields = definition.fields.map { ContiguousArray($0.utf8) }
    summedField = definition.summedField.map { ContiguousArray($0.utf8) }
  }

  /// The document's position in this index: its fields' memcomparable bytes, then its creation time, which is distinct
  /// within the table.
  func key(of document: DocumentStorage, with writer: inout IndexKeyWriter) -> IndexKey {
    writer.removeAll()
    for field in fields {
      if let json = field.withUnsafeBytes({ document.value(named: $0) }) {
        var reader = JSONReader(json)
        do {
          try writer.append(json: &reader)
        } catch {
          preconditionFailure("a stored document is canonical JSON: \(error)")
        }
      } else {
        writer.appendMissing()
      }
    }
    return writer.key(tie: IndexKey.orderedBits(document.creationTime))
  }

  /// What the document adds to this index's sum: its summed field where that is a number, else nothing.
  func summand(of document: DocumentStorage) -> Double {
    guard let json = summedField?.withUnsafeBytes({ document.value(named: $0) }) else { return 0 }
    var reader = JSONReader(json)
    return (try? reader.readDouble()) ?? 0
  }
}
