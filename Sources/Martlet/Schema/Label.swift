/// The name of a field or an index, as UTF-8, and (an index) its position in the table.
///
/// A class, since a name may be left out where it is the property's own: the property's name is known only when the
/// table's prototype exists, and is written here then.
///
/// `@unchecked Sendable` is sound: `TableSchema` writes to a label before it publishes the prototype under its lock, and
/// nothing writes to it afterwards.
package final class Label: @unchecked Sendable {
  package private(set) var utf8: ContiguousArray<UInt8>
  package private(set) var position = -1

  package init(_ name: String?) { utf8 = ContiguousArray((name ?? "").utf8) }

  package var name: String { String(decoding: utf8, as: UTF8.self) }

  package func settle(name: String, position: Int) {
    if utf8.isEmpty { utf8 = ContiguousArray(name.utf8) }
    self.position = position
  }
}
