/// An index of a table: an order of its documents by one or more fields, then by creation time.
///
/// A range of an index costs O(log n + documents read). Every index counts, so `count` over a range is O(log n); one
/// that is declared with `summing:` also adds that field up, so that `sum` is O(log n) too. An index costs each write
/// that changes one of its fields O(log n), and about 60 bytes a document.
///
/// A field may be a member of another one's object (`\Customers.address.city`, `address.city` on the wire). Documents that lack it, or
/// something on the way to it, stand where documents without the field do: first.
public struct Index<T: Table>: Sendable {
  package let label: Label
  package let fields: @Sendable (T) -> [Label]
  package let summed: (@Sendable (T) -> Label)?
  package let isUnique: Bool

  /// - Parameters:
  ///   - name: the name on the wire; the property's name when it is left out.
  ///   - fields: what to order by, first field first.
  ///   - unique: whether no two documents may have the same values in these fields. A write that would give a second one
  ///     throws an `ApplicationError` which names index and values. A document that lacks one of the fields is exempt.
  public init<each V>(_ name: String, _ fields: repeat KeyPath<T, Field<each V>> & Sendable, unique: Bool = false) {
    label = Label(name)
    self.fields = Self.labels(repeat each fields)
    summed = nil
    isUnique = unique
  }

  public init<each V>(_ fields: repeat KeyPath<T, Field<each V>> & Sendable, unique: Bool = false) {
    label = Label(nil)
    self.fields = Self.labels(repeat each fields)
    summed = nil
    isUnique = unique
  }

  /// - Parameter summing: the field whose sum over any range of this index is wanted in O(log n).
  public init<each V>(
    _ fields: repeat KeyPath<T, Field<each V>> & Sendable, summing: KeyPath<T, Field<Double>> & Sendable,
    unique: Bool = false
  ) {
    self.init(nil, repeat each fields, summing: summing, unique: unique)
  }

  public init<each V>(
    _ name: String?, _ fields: repeat KeyPath<T, Field<each V>> & Sendable,
    summing: KeyPath<T, Field<Double>> & Sendable, unique: Bool = false
  ) {
    label = Label(name)
    self.fields = Self.labels(repeat each fields)
    summed = { $0[keyPath: summing].label }
    isUnique = unique
  }

  private static func labels<each V>(
    _ paths: repeat KeyPath<T, Field<each V>> & Sendable
  ) -> @Sendable (T) -> [Label] {
    { prototype in
      var labels: [Label] = []
      for path in repeat each paths { labels.append(prototype[keyPath: path].label) }
      return labels
    }
  }
}
