/// The stored documents that a schema doesn't allow.
struct Misfits {
  private var count = 0
  private var lines: [String] = []
  private static let mostLines = 20

  mutating func add(_ document: DocumentStorage, _ error: any Error) {
    count += 1
    if lines.count < Self.mostLines { lines.append("  \(document.id): \(error)") }
  }

  mutating func add(_ others: Misfits) {
    count += others.count
    lines += others.lines.prefix(Self.mostLines - lines.count)
  }

  /// - Parameter consequence: what they are the reason of, for a person.
  func throwIfAny(_ consequence: String) throws {
    guard count > 0 else { return }
    let rest = count - lines.count
    throw SchemaError(
      "\(count == 1 ? "1 stored document does" : "\(count) stored documents do") not fit the schema, so \(consequence). "
        + "Change the schema (a field that is new can be optional, or have a default), or the documents with the schema that they fit:\n"
        + lines.joined(separator: "\n") + (rest > 0 ? "\n  and \(rest) more" : ""))
  }
}
