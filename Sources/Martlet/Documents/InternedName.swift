import Synchronization

/// A field's name as bytes that stay where they are for the life of the process.
///
/// The names of a schema are few, and compared for every field that is read: a pointer costs no reference counting. Names
/// that come from outside are never interned.
struct InternedName: Hashable, @unchecked Sendable {
  // Sound to share: the bytes are written before the pointer is published, and never written or freed again.
  let bytes: UnsafeRawBufferPointer

  init(_ name: String) {
    bytes = Self.known.withLock { known in
      if let bytes = known[name] { return bytes }
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: name.utf8.count, alignment: 1)
      copy.copyBytes(from: name.utf8)
      let interned = Interned(bytes: UnsafeRawBufferPointer(copy))
      known[name] = interned
      return interned
    }.bytes
  }

  /// The name of a field, or of a member of its object: `address.city`. Its bytes are those of no field's name, since they hold a zero where
  /// one object ends and the next begins; so a look-up by them finds nothing, even where a document has a field with a dot in its name.
  init(path name: String) { self.init(name.replacing(".", with: "\0")) }

  /// The names that such a one consists of; none where it is a field's own.
  static func path(_ name: String) -> [InternedName] {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count > 1 ? parts.map { InternedName(String($0)) } : []
  }

  static func == (lhs: InternedName, rhs: InternedName) -> Bool { lhs.bytes.baseAddress == rhs.bytes.baseAddress }
  func hash(into hasher: inout Hasher) { hasher.combine(bytes.baseAddress) }

  private struct Interned: @unchecked Sendable {
    // As above.
    let bytes: UnsafeRawBufferPointer
  }

  private static let known = Mutex<[String: Interned]>([:])
}
