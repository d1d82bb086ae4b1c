/// Why a storage could not do what it was asked for, and what mends it.
///
/// The code is for programs: it is open, so that a storage of another kind can add its own without breaking those who compare.
/// The message is for the operator: it names the file, table, row, document and byte, as far as they are known, and what to do.
/// It never holds a document's contents.
package struct StorageError: Error, Sendable {
  package struct Code: Hashable, Sendable, CustomStringConvertible {
    package let name: String
    package init(_ name: String) { self.name = name }
    package var description: String { name }

    /// What is on disk is not what was written: a checksum, a count or the layout is wrong.
    package static let corrupt = Code("corrupt")
    /// The disk refused a write or a sync. The storage accepts nothing more; what was acknowledged is safe, and a restart recovers it.
    package static let failed = Code("failed")
    /// Another process has the data open.
    package static let locked = Code("locked")
    /// The data was written in a format that this version doesn't read.
    package static let versionMismatch = Code("version_mismatch")
    /// The file is missing, can't be opened, or already exists where a new one was wanted.
    package static let unavailable = Code("unavailable")
    /// The storage was closed.
    package static let closed = Code("closed")
    /// A batch is too large to be one row.
    package static let tooLarge = Code("too_large")
  }

  package var code: Code
  package var message: String
  package var cause: (any Error)?

  package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }
}

extension StorageError: CustomStringConvertible {
  package var description: String {
    guard let cause else { return "storage \(code): \(message)" }
    return "storage \(code): \(message) (\(cause))"
  }
}
