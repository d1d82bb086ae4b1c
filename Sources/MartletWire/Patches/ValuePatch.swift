internal import MartletValues

/// What turns one JSON value into another: the `patch` line of the protocol.
///
/// A live list of 1,000 rows is 150 KB, and a commit changes one field of one row. Sent whole, each of its subscribers is sent
/// those 150 KB again; as a patch, 40 bytes. A patch is a list of operations that are carried out one after another:
///
///     [["set",["page",7,"total"],2900],["remove",["page",3]],["insert",["page",0],{…}],["move",["page",5],1]]
///
/// docs/protocol.md says what they mean, and `Tests/Fixtures/patches.json` has examples for clients in any language.
///
/// Both sides work on the values' text: the server has results as canonical JSON and compares them as bytes anyway, the client
/// hands bytes on to whoever decodes them. Where both values are canonical, what `apply` gives is the new one to the byte.
///
/// **Costs.** `difference` looks at both values once, and at equal ends eight bytes at a time; a list whose rows have changed places
/// costs a hash for each row between the first and the last change. `apply` looks at the old value once and copies it. Work is
/// bounded: what is larger, or more of a change than `PatchDiffer` has limits for, isn't patched.
///
/// **Robustness.** Neither trusts its input: a text that is no JSON gives no patch, or an error, and nothing is read outside of it.
package enum ValuePatch {
  /// A value shorter than this is sent whole: what a patch could save is less than what it costs to find.
  package static let leastBytes = 128
  /// A value longer than this is sent whole: finding what has changed takes the engine's thread 0.3 ms for each MiB where little has, and
  /// 4 ms where all rows have changed places.
  package static let mostBytes = 1 << 20

  /// The patch that turns `old` into `new`; nil where it would not be smaller than three quarters of the value, or where there is
  /// none to be had at a bounded cost.
  package static func difference(from old: UnsafeRawBufferPointer, to new: UnsafeRawBufferPointer) -> [UInt8]? {
    guard new.count >= leastBytes, max(old.count, new.count) <= mostBytes else { return nil }
    return difference(from: old, to: new, atMost: new.count / 4 * 3)
  }

  /// The same for values of any size.
  package static func difference(
    from old: UnsafeRawBufferPointer, to new: UnsafeRawBufferPointer, atMost limit: Int
  ) -> [UInt8]? {
    var differ = PatchDiffer(JSONScan(old), JSONScan(new))
    guard let patch = differ.run(), patch.count <= limit else { return nil }
    return patch
  }

  /// The value that `patch` makes of `old`.
  /// Throws a `PatchError` for a patch that doesn't fit, a `JSONError` for one that is no JSON.
  package static func apply(_ patch: UnsafeRawBufferPointer, to old: UnsafeRawBufferPointer) throws -> [UInt8] {
    var target = PatchTarget(base: JSONScan(old), patch: JSONScan(patch))
    var number = 0
    var reader = JSONReader(patch)
    try reader.readArray { reader throws in
      number += 1
      do { try target.apply(PatchOperation(from: &reader)) } catch let error as PatchError {
        throw PatchError("operation \(number): \(error.message)")
      }
    }
    try reader.finish()
    return target.bytes()
  }
}

/// A patch that doesn't fit the value that it is applied to, or that is none.
package struct PatchError: Error, Hashable, CustomStringConvertible {
  package var message: String
  package var description: String { message }

  init(_ message: String) { self.message = message }
}
