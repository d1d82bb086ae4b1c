import MartletWire

/// A range of an index: equality on its first fields, in their order, then at most one lower and one upper bound on the
/// next one.
///
/// The compiler checks the types of the values; that the fields come in the index's order is checked when the range is
/// made, with an error that says which field was due.
public struct IndexRange<T: Table> {
  private let schema: TableSchema<T>
  private let layout: TableLayout
  private let slot: IndexSlot
  private var prefix: [UInt8] = []
  private var equalities = 0
  private var lower: Bound?
  private var upper: Bound?
  private var problem: String?

  private struct Bound {
    var field: Int
    var bytes: [UInt8]
    var isInclusive: Bool
  }

  init(schema: TableSchema<T>, layout: TableLayout, slot: IndexSlot) {
    self.schema = schema
    self.layout = layout
    self.slot = slot
  }

  public func eq<Value>(_ field: KeyPath<T, Field<Value>>, _ value: Value) -> IndexRange<T> {
    let field = schema.prototype[keyPath: field]
    var range = self
    if lower != nil || upper != nil {
      range.refuse("eq(\"\(field.name)\") must come before the bounds of the range")
    } else if range.expect(field.name, at: equalities, "eq") {
      let bytes = range.bytes(of: value, field, "eq")
      range.prefix += bytes
      range.equalities += 1
    }
    return range
  }

  public func gt<Value>(_ field: KeyPath<T, Field<Value>>, _ value: Value) -> IndexRange<T> {
    lowerBound(field, value, inclusive: false, "gt")
  }

  public func gte<Value>(_ field: KeyPath<T, Field<Value>>, _ value: Value) -> IndexRange<T> {
    lowerBound(field, value, inclusive: true, "gte")
  }

  public func lt<Value>(_ field: KeyPath<T, Field<Value>>, _ value: Value) -> IndexRange<T> {
    upperBound(field, value, inclusive: false, "lt")
  }

  public func lte<Value>(_ field: KeyPath<T, Field<Value>>, _ value: Value) -> IndexRange<T> {
    upperBound(field, value, inclusive: true, "lte")
  }

  private func lowerBound<Value>(
    _ field: KeyPath<T, Field<Value>>, _ value: Value, inclusive: Bool, _ call: String
  ) -> IndexRange<T> {
    let field = schema.prototype[keyPath: field]
    var range = self
    if lower != nil {
      range.refuse("\(call)(\"\(field.name)\"): the range has a lower bound already")
    } else if range.expect(field.name, at: equalities, call) {
      let bytes = range.bytes(of: value, field, call)
      range.lower = Bound(field: equalities, bytes: bytes, isInclusive: inclusive)
    }
    return range
  }

  private func upperBound<Value>(
    _ field: KeyPath<T, Field<Value>>, _ value: Value, inclusive: Bool, _ call: String
  ) -> IndexRange<T> {
    let field = schema.prototype[keyPath: field]
    var range = self
    if upper != nil {
      range.refuse("\(call)(\"\(field.name)\"): the range has an upper bound already")
    } else if range.expect(field.name, at: equalities, call) {
      let bytes = range.bytes(of: value, field, call)
      range.upper = Bound(field: equalities, bytes: bytes, isInclusive: inclusive)
    }
    return range
  }

  private mutating func expect(_ field: String, at position: Int, _ call: String) -> Bool {
    let fields = layout.definition.indexes[slot.declaredPosition].fields
    guard position < fields.count else {
      refuse("\(call)(\"\(field)\"): every field of the index has its equality already")
      return false
    }
    guard fields[position] == field else {
      refuse("\(call)(\"\(field)\"): field \"\(fields[position])\" is due, the index is on (\(fields.joined(separator: ", ")))")
      return false
    }
    return true
  }

  private mutating func refuse(_ reason: String) { problem = problem ?? reason }

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
        do { try keys.append(json: &reader) } catch { refuse("\(call)(\"\(field.name)\"): no document can hold this value: \(error)") }
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
      if let lower {
        let bound = IndexKey(prefix + lower.bytes)
        from = lower.isInclusive ? bound : bound.prefixSuccessor()
      }
      if let upper {
        let bound = IndexKey(prefix + upper.bytes)
        to = upper.isInclusive ? bound.prefixSuccessor() : bound
      }
      return (from, to)
    }
  }
}
