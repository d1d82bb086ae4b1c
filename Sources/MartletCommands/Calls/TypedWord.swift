import MartletValues

/// A value as one word at a prompt: JSON where it can be read as such (`10`, `true`, `'["a"]'`), else a string.
///
/// What begins like a JSON string, array or object and isn't one is refused: a forgotten bracket shouldn't become a string.
enum TypedWord {
  /// - Parameter name: what the value is of, for the message.
  static func value(_ text: String, of name: String) throws -> Value {
    do { return try Value(json: text) } catch {
      guard let first = text.drop(while: \.isWhitespace).first, "{[\"".contains(first) else { return .string(text) }
      throw UsageError(
        "\(name): not valid JSON: \(error)\nIf it is meant as a string, write it as JSON: \(name)='\(Value.string(text).json)'")
    }
  }
}
