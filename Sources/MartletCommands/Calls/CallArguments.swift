import ArgumentParser
import MartletValues

/// A function's arguments as they are typed at a prompt.
///
/// - `'{"status":"pending","limit":10}'`: one JSON object.
/// - `status=pending limit=10`: pairs. A value that is JSON is what it says (`10`, `true`, `null`, `'["a","b"]'`); another is
///   a string. A string that would be read as something else is written as JSON: `code='"10"'`.
///
/// What begins like a JSON string, array or object and isn't one is refused: a forgotten bracket shouldn't become a string.
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
    do { return try Value(argument: text) } catch {
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
      fields[name] = try value(String(word[word.index(after: equals)...]), of: name)
    }
    return fields
  }

  /// One value. `name` says in a message what it is of.
  static func value(_ text: String, of name: String) throws -> Value {
    do { return try Value(argument: text) } catch {
      guard let first = text.trimmedStart.first, "{[\"".contains(first) else { return .string(text) }
      throw UsageError(
        "\(name): not valid JSON: \(error)\nIf it is meant as a string, write it as JSON: \(name)='\(Value.string(text).json)'")
    }
  }
}

extension String {
  fileprivate var trimmedStart: Substring { drop(while: \.isWhitespace) }
}
