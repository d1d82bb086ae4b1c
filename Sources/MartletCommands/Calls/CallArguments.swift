import ArgumentParser
import MartletValues

/// A function's arguments as they are typed at a prompt.
///
/// - `'{"status":"pending","limit":10}'`: one JSON object.
/// - `status=pending limit=10`: pairs, each value a `TypedWord`: what is JSON is what it says (`10`, `true`, `null`,
///   `'["a","b"]'`), another is a string. A string that would be read as something else is written as JSON: `code='"10"'`.
struct CallArguments {
  let value: Value

  /// Throws a `UsageError`, which is a wrong command line.
  init(_ words: [String]) throws {
    guard let first = words.first else {
      value = [:]
      return
    }
    if first.trimmedStart.hasPrefix("{") {
      guard words.count == 1 else {
        throw UsageError("the arguments are one JSON object, or pairs of name=value; \"\(words[1])\" is too much")
      }
      value = try Self.object(first)
    } else {
      value = .object(try Self.pairs(words))
    }
  }

  private static func object(_ text: String) throws -> Value {
    do { return try Value(json: text) } catch {
      throw UsageError(
        """
        the arguments are not valid JSON: \(error)
        A shell takes quotes away unless others stand around them: '{"status":"pending"}'. Or write status=pending
        """)
    }
  }

  private static func pairs(_ words: [String]) throws -> ObjectValue {
    var fields = ObjectValue()
    for word in words {
      guard let equals = word.firstIndex(of: "="), equals > word.startIndex else {
        throw UsageError(
          "\"\(word)\" is no argument: write name=value, or all arguments as one JSON object such as '{\"limit\":10}'")
      }
      let name = String(word[..<equals])
      guard name.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }), !name.hasPrefix("$") else {
        throw UsageError("\"\(name)\" can't name an argument: a name is ASCII, and doesn't begin with $")
      }
      guard fields[name] == nil else { throw UsageError("the argument \"\(name)\" is given twice") }
      fields[name] = try TypedWord.value(String(word[word.index(after: equals)...]), of: name)
    }
    return fields
  }
}

extension String {
  fileprivate var trimmedStart: Substring { drop(while: \.isWhitespace) }
}
