import MartletValues

/// The words and signs of a filter, each with its place.
struct TypedFilterToken: Equatable {
  enum Kind: Equatable {
    case comparison(TypedFilter.Comparison)
    case and, or, not, open, close
    case operand(TypedFilter.Operand)
    case end
  }

  var kind: Kind
  /// As it was written; for messages.
  var text: String
  var position: Int
}

struct TypedFilterTokenizer {
  private let text: String
  private let characters: [Character]
  private var position = 0

  init(_ text: String) {
    self.text = text
    characters = Array(text)
  }

  mutating func next() throws -> TypedFilterToken {
    while let character, character.isWhitespace { position += 1 }
    let start = position
    let kind = try kind()
    return TypedFilterToken(kind: kind, text: String(characters[start..<position]), position: start)
  }

  func error(_ reason: String, at position: Int) -> TypedFilterError { TypedFilterError(reason: reason, text: text, position: position) }

  private var character: Character? { position < characters.count ? characters[position] : nil }

  private mutating func kind() throws -> TypedFilterToken.Kind {
    guard let first = character else { return .end }
    switch first {
    case "(": return advance(1, .open)
    case ")": return advance(1, .close)
    case "&": return try pair("&", .and)
    case "|": return try pair("|", .or)
    case "=": return advance(follows("=") ? 2 : 1, .comparison(.equal))
    case "!": return follows("=") ? advance(2, .comparison(.unequal)) : advance(1, .not)
    case "<": return follows("=") ? advance(2, .comparison(.lessOrEqual)) : advance(1, .comparison(.less))
    case ">": return follows("=") ? advance(2, .comparison(.greaterOrEqual)) : advance(1, .comparison(.greater))
    case "\"", "'": return .operand(.literal(try string(first)))
    case "[", "{": return .operand(.literal(try container()))
    case "-", "0"..."9": return .operand(.literal(try number()))
    case _ where Self.begins(first): return word()
    default: throw error("\"\(first)\" means nothing here", at: position)
    }
  }

  private mutating func advance(_ count: Int, _ kind: TypedFilterToken.Kind) -> TypedFilterToken.Kind {
    position += count
    return kind
  }

  private func follows(_ next: Character) -> Bool { position + 1 < characters.count && characters[position + 1] == next }

  private mutating func pair(_ sign: Character, _ kind: TypedFilterToken.Kind) throws -> TypedFilterToken.Kind {
    guard follows(sign) else { throw error("write \(sign)\(sign)", at: position) }
    return advance(2, kind)
  }

  // MARK: Words

  private static func begins(_ character: Character) -> Bool { character.isLetter || character == "_" }
  private static func goesOn(_ character: Character) -> Bool { begins(character) || character.isNumber || character == "." }

  private mutating func word() -> TypedFilterToken.Kind {
    let start = position
    while let character, Self.goesOn(character) { position += 1 }
    // A point at the end ends a sentence, not a path.
    while characters[position - 1] == "." { position -= 1 }
    let word = String(characters[start..<position])
    return switch word {
    case "and", "AND": .and
    case "or", "OR": .or
    case "not", "NOT": .not
    case "true": .operand(.literal(true))
    case "false": .operand(.literal(false))
    case "null": .operand(.literal(.null))
    case "missing", "undefined": .operand(.missing)
    default: .operand(.field(word))
    }
  }

  // MARK: Values

  /// A string between either quote, with JSON's escapes.
  private mutating func string(_ quote: Character) throws -> Value {
    let start = position
    var json = "\""
    position += 1
    while let character, character != quote {
      position += 1
      switch character {
      case "\\":
        guard let escaped = self.character else { break }
        position += 1
        // JSON doesn't know \', and a person writes it between single quotes.
        json += escaped == "'" ? "'" : "\\\(escaped)"
      case "\"": json += "\\\""
      default: json += character.unicodeScalars.allSatisfy { $0.value >= 0x20 } ? String(character) : escape(character)
      }
    }
    guard character == quote else { throw error("this string has no end", at: start) }
    position += 1
    do { return try Value(json: json + "\"") } catch { throw self.error("not a string: \(error)", at: start) }
  }

  private func escape(_ character: Character) -> String {
    character.unicodeScalars.map { scalar in
      let digits = String(scalar.value, radix: 16)
      return scalar.value < 0x20 ? "\\u" + String(repeating: "0", count: 4 - digits.count) + digits : String(scalar)
    }.joined()
  }

  /// An array or object as JSON, up to the bracket that closes it.
  private mutating func container() throws -> Value {
    let start = position
    var depth = 0
    var isInString = false
    while let character {
      position += 1
      switch character {
      case "\\" where isInString: position += 1
      case "\"": isInString.toggle()
      case "[" where !isInString, "{" where !isInString: depth += 1
      case "]" where !isInString, "}" where !isInString: depth -= 1
      default: break
      }
      if depth == 0 { break }
    }
    position = min(position, characters.count)
    guard depth == 0 else { throw error("what begins here is not closed", at: start) }
    do { return try Value(json: String(characters[start..<position])) } catch { throw self.error("not JSON: \(error)", at: start) }
  }

  private mutating func number() throws -> Value {
    let start = position
    while let character, Self.goesOn(character) || ((character == "-" || character == "+") && isInExponentOrFirst(start)) { position += 1 }
    let text = String(characters[start..<position])
    if text.hasSuffix("n"), let number = Int64(text.dropLast()) { return .int64(number) }
    guard let value = try? Value(json: text), case .float64 = value else {
      throw error("\"\(text)\" is no number; a string stands between quotes", at: start)
    }
    return value
  }

  private func isInExponentOrFirst(_ start: Int) -> Bool {
    position == start || characters[position - 1] == "e" || characters[position - 1] == "E"
  }
}
