/// How a declared index makes a key of a document: its fields, resolved once when the table is set up.
final class IndexLayout: Sendable {
  let name: String
  let fields: [InternedName]
  let summedField: InternedName?

  init(_ definition: TableDefinition.Index) {
    name = definition.name
    fields = definition.fields.map(InternedName.init)
    summedField = definition.summedField.map(InternedName.init)
  }

  /// The document's position in this index: its fields' memcomparable bytes, then its creation time, which is distinct
  /// within the table.
  func key(of document: DocumentStorage, with writer: inout IndexKeyWriter) -> IndexKey {
    writer.removeAll()
    for field in fields {
      if let json = document.value(named: field.bytes) {
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
    guard let summedField, let json = document.value(named: summedField.bytes) else { return 0 }
    var reader = JSONReader(json)
    return (try? reader.readDouble()) ?? 0
  }
}
