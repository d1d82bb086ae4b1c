import MartletWire

/// A range of an index: equality on its first fields, in their order, then at most one lower and one upper bound on the
/// next one.
///
/// The compiler checks the types of the values; that the fields come in the index's order is checked when the range is
/// made, with an error that says which field was due. A field may also be given by its name on the wire, with a `Value`: see
/// `IndexRange+Names.swift`.
public struct IndexRange<T: Table> {
  private let schema: TableSchema<T>
  private let layout: TableLayout
  private let slot: IndexSlot
  private var prefix: [UInt8] = []
  private var equalities = 0
  private var lower: Bound?
  private var upper: Bound?
  private var problem: String?

  /// The bytes of a field's value; of the creation time, which follows all fields, the tie.
  enum Key {
    case bytes([UInt8])
    case creationTime(UInt64)
  }

  private struct Bound {
    var key: Key
    var isInclusive: Bool
  }

  init(schema: TableSchema<T>, layout: TableLayout, slot: IndexSlot) {
    self.schema = schema
    self.layout = layout
    self.slot = slot
  }

  public func eq<Value>(_ field: KeyPath<T, Field<Value>>, _ value: Value) -> IndexRange<T> {
    narrowed(field, value, "eq") { $0.equal($1, $2, "eq") }
  }

  public func gt<Value>(_ field: KeyPath<T, Field<Value>>, _ value: Value) -> IndexRange<T> {
    narrowed(field, value, "gt") { $0.lowerBound($1, $2, inclusive: false, "gt") }
  }

  public func gte<Value>(_ field: KeyPath<T, Field<Value>>, _ value: Value) -> IndexRange<T> {
    narrowed(field, value, "gte") { $0.lowerBound($1, $2, inclusive: true, "gte") }
  }

  public func lt<Value>(_ field: KeyPath<T, Field<Value>>, _ value: Value) -> IndexRange<T> {
    narrowed(field, value, "lt") { $0.upperBound($1, $2, inclusive: false, "lt") }
  }

  public func lte<Value>(_ field: KeyPath<T, Field<Value>>, _ value: Value) -> IndexRange<T> {
    narrowed(field, value, "lte") { $0.upperBound($1, $2, inclusive: true, "lte") }
  }

  private func narrowed<Value>(
    _ field: KeyPath<T, Field<Value>>, _ value: Value, _ call: String, _ narrow: (inout IndexRange<T>, String, Key) -> Void
  ) -> IndexRange<T> {
    let field = schema.prototype[keyPath: field]
    var range = self
    if let problem = field.label.problem {
      range.refuse("\(call): \(problem)")
    } else {
      let key = Key.bytes(range.bytes(of: value, field, call))
      narrow(&range, field.wireName, key)
    }
    return range
  }

  mutating func equal(_ field: String, _ key: Key, _ call: String) {
    if lower != nil || upper != nil {
      refuse("eq(\"\(field)\") must come before the bounds of the range")
    } else if expect(field, call) {
      switch key {
      case .bytes(let bytes):
        prefix += bytes
        equalities += 1
      case .creationTime:
        lower = Bound(key: key, isInclusive: true)
        upper = lower
      }
    }
  }

  mutating func lowerBound(_ field: String, _ key: Key, inclusive: Bool, _ call: String) {
    if lower != nil {
      refuse("\(call)(\"\(field)\"): the range has a lower bound already")
    } else if expect(field, call) {
      lower = Bound(key: key, isInclusive: inclusive)
    }
  }

  mutating func upperBound(_ field: String, _ key: Key, inclusive: Bool, _ call: String) {
    if upper != nil {
      refuse("\(call)(\"\(field)\"): the range has an upper bound already")
    } else if expect(field, call) {
      upper = Bound(key: key, isInclusive: inclusive)
    }
  }

  /// Whether it is this field's turn.
  private mutating func expect(_ field: String, _ call: String) -> Bool {
    guard slot != .byID else {
      refuse("\(call)(\"\(field)\"): ids are random, and by_id has no ranges; ctx.db.find reads a document by its id")
      return false
    }
    let fields = slot == .byCreationTime ? ["_creationTime"] : layout.definition.indexes[slot.declaredPosition].fields
    guard equalities < fields.count || field == "_creationTime" else {
      refuse("\(call)(\"\(field)\"): every field of the index has its equality already")
      return false
    }
    let due = equalities < fields.count ? fields[equalities] : "_creationTime"
    guard due == field else {
      refuse("\(call)(\"\(field)\"): field \"\(due)\" is due, the index is on (\(fields.joined(separator: ", ")))")
      return false
    }
    return true
  }

  mutating func refuse(_ reason: String) { problem = problem ?? reason }

  /// The memcomparable bytes of a field's value; those of a missing field for an absent optional.
  private mutating func bytes<Value>(of value: Value, _ field: Field<Value>, _ call: String) -> [UInt8] {
    var json = JSONWriter(capacity: 64)
    var keys = IndexKeyWriter()
    if field.validator.absence?.isAbsent(value) != true { field.validator.encode(value, &json) }
    json.withUnsafeBytes {
      if $0.isEmpty {
        keys.appendMissing()
      } else {
        var reader = JSONReader($0)
        do { try keys.append(json: &reader) } catch { refuse("\(call)(\"\(field.wireName)\"): no document can hold this value: \(error)") }
      }
    }
    return keys.key(tie: 0).bytes
  }

  /// The half-open range of positions. A position begins with the fields' bytes, so that all entries with one value lie
  /// between the value's bytes and the least bytes that don't begin with them.
  var bounds: (lower: IndexKey?, upper: IndexKey?) {
    get throws {
      if let problem {
        throw WireError(.functionFailed, "withIndex(\(layout.name).\(layout.name(of: slot))): \(problem)")
      }
      let base = IndexKey(prefix)
      var from: IndexKey? = prefix.isEmpty ? nil : base
      var to: IndexKey? = prefix.isEmpty ? nil : base.prefixSuccessor()
      if let lower { from = position(lower, isAfter: !lower.isInclusive) }
      if let upper { to = position(upper, isAfter: upper.isInclusive) }
      return (from, to)
    }
  }

  /// Where the entries with the bound's value begin, or (`isAfter`) where they end.
  private func position(_ bound: Bound, isAfter: Bool) -> IndexKey? {
    switch bound.key {
    case .bytes(let bytes):
      let key = IndexKey(prefix + bytes)
      return isAfter ? key.prefixSuccessor() : key
    case .creationTime(let tie):
      let key = IndexKey(prefix, tie: tie)
      return isAfter ? key.successor : key
    }
  }
}
