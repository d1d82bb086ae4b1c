import ArgumentParser

/// A line of the shell as words.
///
/// Blanks separate words. `'…'` keeps everything as it is, `"…"` all but `\"` and `\\`, and a backslash the character behind it: as in a system's
/// shell, so that a line can be copied from there. Unlike there, JSON needs no quotes around it: where a word or a pair's value begins with `{`
/// or `[`, or a pair's value with `"`, it goes on to where the JSON ends.
///
///     orders:getOrdersByStatus {"status": "pending", "limit": 10}
///     accounts:open owner="Ada L." balance=10
struct ShellWords {
  private(set) var words: [String] = []

  private var rest: Substring

  /// Throws a `UsageError` for a quote or a bracket that isn't closed.
  init(_ line: String) throws {
    rest = line[...]
    while skipBlanks() { words.append(try word()) }
  }

  /// False at the end of the line.
  private mutating func skipBlanks() -> Bool {
    rest = rest.drop(while: \.isWhitespace)
    return !rest.isEmpty
  }

  private mutating func word() throws -> String {
    var word = ""
    if let first = rest.first, "{[".contains(first) { word += try json() }
    while let character = rest.first, !character.isWhitespace {
      rest.removeFirst()
      switch character {
      case "'": word += try quoted(until: "'", escapes: false)
      case "\"": word += try quoted(until: "\"", escapes: true)
      case "\\": if let next = rest.popFirst() { word.append(next) }
      case "=":
        // An option's value is the system's shell's; a pair's is JSON.
        let isOfPair = !word.hasPrefix("-") && !word.contains("=")
        word.append(character)
        if isOfPair, let first = rest.first, "{[\"".contains(first) { word += try json() }
      default: word.append(character)
      }
    }
    return word
  }

  private mutating func quoted(until quote: Character, escapes: Bool) throws -> String {
    var text = ""
    while let character = rest.popFirst() {
      if character == quote { return text }
      if escapes, character == "\\", let next = rest.first, next == "\\" || next == "\"" {
        text.append(next)
        rest.removeFirst()
      } else {
        text.append(character)
      }
    }
    throw UsageError("there is no closing \(quote)")
  }

  /// A string, or what stands between two brackets, brackets within it and within its strings left aside.
  private mutating func json() throws -> String {
    var text = ""
    var open: [Character] = []
    while let character = rest.popFirst() {
      text.append(character)
      switch character {
      case "\"":
        var isOpen = true
        while isOpen, let next = rest.popFirst() {
          text.append(next)
          if next == "\\", let escaped = rest.popFirst() { text.append(escaped) }
          isOpen = next != "\""
        }
        if isOpen { throw UsageError("there is no closing \" for \(text)") }
      case "{": open.append("}")
      case "[": open.append("]")
      case "}", "]":
        guard open.popLast() == character else { throw UsageError("a bracket is missing before the last one of \(text)") }
      default: break
      }
      if open.isEmpty { return text }
    }
    throw UsageError("there is no closing \(open.last ?? "\"") for \(text)")
  }
}
