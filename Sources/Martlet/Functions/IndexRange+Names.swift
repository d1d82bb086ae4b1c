// Fields by their names on the wire: for an index that was declared by names, and for the creation time, by which every index orders documents whose
// fields are equal. A value is any `Value`, nil for a field that is missing; that it fits the field isn't looked at, since a range of values that no
// document has is empty.

extension IndexRange {
  /// ```swift
  /// $0.eq("address.city", "Oslo").gte("_creationTime", .float64(since))
  /// ```
  public func eq(_ field: String, _ value: Value?) -> IndexRange<T> { narrowed(field, value, "eq") { $0.equal(field, $1, "eq") } }

  public func gt(_ field: String, _ value: Value?) -> IndexRange<T> {
    narrowed(field, value, "gt") { $0.lowerBound(field, $1, inclusive: false, "gt") }
  }

  public func gte(_ field: String, _ value: Value?) -> IndexRange<T> {
    narrowed(field, value, "gte") { $0.lowerBound(field, $1, inclusive: true, "gte") }
  }

  public func lt(_ field: String, _ value: Value?) -> IndexRange<T> {
    narrowed(field, value, "lt") { $0.upperBound(field, $1, inclusive: false, "lt") }
  }

  public func lte(_ field: String, _ value: Value?) -> IndexRange<T> {
    narrowed(field, value, "lte") { $0.upperBound(field, $1, inclusive: true, "lte") }
  }

  private func narrowed(
    _ field: String, _ value: Value?, _ call: String, _ narrow: (inout IndexRange<T>, Key) -> Void
  ) -> IndexRange<T> {
    var range = self
    if field == "_creationTime" {
      if case .float64(let time)? = value {
        narrow(&range, .creationTime(IndexKey.orderedBits(time)))
      } else {
        range.refuse("\(call)(\"_creationTime\"): expected number, found \(value?.kindName ?? "nothing")")
      }
    } else {
      var keys = IndexKeyWriter()
      if let value { keys.append(value: value) } else { keys.appendMissing() }
      narrow(&range, .bytes(keys.key(tie: 0).bytes))
    }
    return range
  }
}
