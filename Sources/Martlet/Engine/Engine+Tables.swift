extension Engine {
  /// Enters new tables into the catalog, as one commit. Their numbers are theirs for good: ids hold them.
  func commitNewTables(_ layouts: [TableLayout]) {
    guard let catalogTable = catalog.table(number: Recovery.catalogNumber) else {
      preconditionFailure("the catalog is a table")
    }
    let now = environment.clock.wallMilliseconds()
    var builder = DocumentBuilder()
    var writes: ContiguousArray<DocumentWrite> = []
    for layout in layouts {
      let id = environment.entropy.nextID(table: Recovery.catalogNumber)
      let creationTime = catalogTable.nextCreationTime(now: now)
      builder.begin()
      builder.append(name: "_creationTime") { $0.write(double: creationTime) }
      builder.append(name: "_id") { $0.write(id: id) }
      builder.append(name: "name") { $0.write(string: layout.name) }
      builder.append(name: "number") { $0.write(double: Double(layout.number)) }
      writes.append(DocumentWrite(id: id, old: nil, new: builder.finish(id: id, creationTime: creationTime)))
    }
    _ = commit(TableWrites(table: catalogTable, writes: writes), at: now, by: "_system:newTables")
  }
}
