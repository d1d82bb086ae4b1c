import MartletWire

/// `_system:documents`: a page of any table, by any of its indexes.
///
/// `range` is an object such as `{"eq":[…],"gte":…,"lt":…}`: values for the index's first fields in their order, then
/// bounds on the next field. A cursor is the position after which the next page begins, so it survives restarts.
extension SystemFunctions {
  static let documents = FunctionDefinition(
    name: "_system:documents", visibility: .public,
    arguments: [
      ("table", .string), ("index", .optional(.string)), ("range", .optional(.record(.any))),
      ("order", .optional(.enumeration(["asc", "desc"]))), ("limit", .optional(.wholeNumber)),
      ("cursor", .optional(.string)),
    ],
    body: .query { context, arguments, answer in
      let transaction = context.transaction
      let table = try transaction.existingTable(named: try arguments.take("table", Validator.string))
      let index = try arguments.take("index", Validator.optional(.string)) ?? "by_creation_time"
      let range = try arguments.take("range", Validator.optional(.record(.any))) ?? [:]
      let order = try arguments.take("order", Validator.optional(.enumeration(DocumentOrder.self))) ?? .asc
      let limit = try arguments.take("limit", Validator.optional(.wholeNumber)) ?? 100
      let cursor = try arguments.take("cursor", Validator.optional(.string))
      try arguments.finish()
      guard limit > 0 else { throw WireError(.invalidArguments, "args.limit: expected 1 or more, found \(limit)") }
      guard let slot = table.layout.slot(ofIndex: index) else {
        let names = (["by_id", "by_creation_time"] + table.layout.indexes.map(\.name)).joined(separator: ", ")
        throw WireError(.notFound, "table \(table.layout.name) has no index \"\(index)\"; it has \(names)")
      }
      var (lower, upper) = try UntypedRange(range, table.layout, slot).bounds
      if let cursor {
        let position = try PageCursor(cursor).position
        if order == .desc { upper = position } else { lower = position.successor }
      }
      try transaction.writePage(
        of: table, slot, from: lower, to: upper, descending: order == .desc, limit: limit, into: &answer)
    })

  enum DocumentOrder: String, CaseIterable, Sendable { case asc, desc }
}

extension Transaction {
  fileprivate func writePage(
    of table: StoredTable, _ slot: IndexSlot, from lower: IndexKey?, to upper: IndexKey?, descending: Bool, limit: Int,
    into answer: inout JSONWriter
  ) throws {
    var page: [DocumentStorage] = []
    var last: IndexKey?
    var isDone = true
    try scan(table, slot, from: lower, to: upper, descending: descending) { position, document in
      guard page.count < limit else {
        isDone = false
        return false
      }
      page.append(document)
      last = position
      return true
    }
    answer.write(raw: Array(#"{"continueCursor":"#.utf8))
    if let last { answer.write(string: PageCursor(position: last).text) } else { answer.writeNull() }
    answer.write(raw: Array(#","isDone":"#.utf8))
    answer.write(boolean: isDone)
    answer.write(raw: Array(#","page":["#.utf8))
    for (index, document) in page.enumerated() {
      if index > 0 { answer.write(byte: UInt8(ascii: ",")) }
      answer.write(raw: document.json)
    }
    answer.write(raw: Array("]}".utf8))
  }
}

/// A position in an index as text: its bytes and its tie-break, in hexadecimal.
struct PageCursor {
  let position: IndexKey

  init(position: IndexKey) { self.position = position }

  init(_ text: String) throws {
    var bytes: [UInt8] = []
    var digits = text.utf8.makeIterator()
    while let high = digits.next() {
      guard let low = digits.next(), let high = Self.value(high), let low = Self.value(low) else { throw Self.malformed }
      bytes.append(high << 4 | low)
    }
    guard bytes.count >= 8 else { throw Self.malformed }
    let tie = bytes.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    position = IndexKey(Array(bytes.dropLast(8)), tie: tie)
  }

  var text: String {
    let digits = Array("0123456789abcdef".utf8)
    let tie = (0..<8).map { UInt8(truncatingIfNeeded: position.tie >> (56 - 8 * $0)) }
    return String(decoding: (position.bytes + tie).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  private static let malformed = WireError(
    .invalidArguments, "args.cursor: expected the continueCursor of a page of this query, found another string")

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}
