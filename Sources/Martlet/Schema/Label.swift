/// The name of a field or an index, and its position in the table.
///
/// A class, since a name may be left out where it is the property's own: the property's name is known only when the
/// table's prototype exists, and is written here then.
///
/// `@unchecked Sendable` is sound: `TableSchema` writes to a label before it publishes the prototype under its lock, and
/// nothing writes to it afterwards.
@usableFromInline
package final class Label: @unchecked Sendable {
  private(set) var interned: InternedName
  package private(set) var name: String
  package private(set) var position = -1
  /// The names from the document inwards, of a member of a field's object; empty for a field of the document itself.
  let path: [InternedName]
  /// Why there is no such field or member.
  package let problem: String?

  /// The name's bytes, valid for the life of the process.
  @usableFromInline var bytes: UnsafeRawBufferPointer { interned.bytes }

  package init(_ name: String?) {
    self.name = name ?? ""
    interned = InternedName(self.name)
    path = []
    problem = nil
  }

  /// A field by its name, or a member of its object by theirs: `address.city`.
  init(path name: String) {
    self.name = name
    interned = InternedName(path: name)
    path = InternedName.path(name)
    problem = nil
  }

  convenience init(member: String, of label: Label) { self.init(path: label.name + "." + member) }

  init(problem: String) {
    name = ""
    interned = InternedName("")
    path = []
    self.problem = problem
  }

  @usableFromInline var isPath: Bool { !path.isEmpty }

  package func settle(name: String, position: Int) {
    if self.name.isEmpty {
      self.name = name
      interned = InternedName(name)
    }
    self.position = position
  }
}
