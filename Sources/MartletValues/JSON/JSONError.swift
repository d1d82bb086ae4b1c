/// Text that is not the JSON that was asked for: where it went wrong, and what was expected there.
///
/// The message quotes at most one character of the input, so it can be shown to whoever sent it, and logged.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Bytes from the beginning of the text.
  public var offset: Int
  /// For a person, complete: `unexpected character 'x' at byte 12, expected , or }`.
  public var message: String

  public init(offset: Int, message: String) {
    self.offset = offset
    self.message = message
  }

  public var description: String { message }
}

/// What the next value of a JSON text is, told by its first character.
public enum JSONKind: Sendable, Hashable {
  case null, boolean, number, string, array, object
}
