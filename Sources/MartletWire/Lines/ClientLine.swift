/// One line of a client, taken apart where it lies.
///
/// The server reads a million lines a second, so parsing copies and allocates nothing: the parts are byte ranges into
/// the line that was given, and a reader takes from it what it needs (`line.string(in: parsed.function)`). The
/// arguments are left as they came; whether they are well-formed JSON is for the one who decodes them to say.
///
/// Reading is strict in what means something and lenient in what doesn't: words may be separated by several blanks
/// and tabs, blanks at the ends are dropped, and text after `help` and `bye` is ignored.
package struct ClientLine: Hashable, Sendable {
  package var verb: ClientVerb
  /// Empty for a verb that has none.
  package var id: Range<Int>
  /// `module:name` for a call, else empty. That there is such a function is not checked here.
  package var function: Range<Int>
  /// The arguments of a call, the payload of `hello`, the token of `auth`, the text of `ping`: without blanks around
  /// it, and empty where it was left out. A call's arguments begin with `{` if they are there.
  package var rest: Range<Int>

  package enum Reading: Hashable, Sendable {
    case line(ClientLine)
    /// An empty line, or a comment.
    case ignored
    case problem(Problem)
  }

  /// Why a line can't be carried out; answered by `error <id>`, or `error -` where no id could be read.
  package struct Problem: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
      case invalidUTF8, unknownVerb, missingID, invalidID, missingFunction, argumentsNotAnObject
      case payloadNotAnObject, tooManyWords
    }

    package var kind: Kind
    package var id: Range<Int>?
  }

  package static func parse(_ line: UnsafeRawBufferPointer) -> Reading {
    var words = WordCursor(line)
    switch words.nextByte {
    case nil, UInt8(ascii: "#"): return .ignored
    default: break
    }
    let reading = parse(&words)
    // Last, so that the answer names the id even if the arguments are not UTF-8.
    guard line.isValidUTF8 else { return .problem(Problem(kind: .invalidUTF8, id: reading.id)) }
    return reading
  }

  private static func parse(_ words: inout WordCursor) -> Reading {
    let verbWord = words.word()
    guard let verb = ClientVerb(words.line.bytes(in: verbWord)) else {
      return .problem(Problem(kind: .unknownVerb, id: words.id()))
    }
    let none = verbWord.upperBound..<verbWord.upperBound
    switch verb.form {
    case .text:
      return .line(ClientLine(verb: verb, id: none, function: none, rest: words.rest))
    case .payload:
      guard words.startsObjectOrEnds else { return .problem(Problem(kind: .payloadNotAnObject, id: nil)) }
      return .line(ClientLine(verb: verb, id: none, function: none, rest: words.rest))
    case .id, .idAndWord, .call: break
    }

    guard !words.isAtEnd else { return .problem(Problem(kind: .missingID, id: nil)) }
    guard let id = words.id() else { return .problem(Problem(kind: .invalidID, id: nil)) }
    if verb.form == .call {
      guard let first = words.nextByte, first != UInt8(ascii: "{") else {
        return .problem(Problem(kind: .missingFunction, id: id))
      }
      let function = words.word()
      guard words.startsObjectOrEnds else { return .problem(Problem(kind: .argumentsNotAnObject, id: id)) }
      return .line(ClientLine(verb: verb, id: id, function: function, rest: words.rest))
    }
    let rest = verb.form == .idAndWord ? words.word() : words.position..<words.position
    guard words.isAtEnd else { return .problem(Problem(kind: .tooManyWords, id: id)) }
    return .line(ClientLine(verb: verb, id: id, function: none, rest: rest))
  }
}

extension ClientLine.Reading {
  /// The id that an answer to the line would name, if one could be read.
  package var id: Range<Int>? {
    switch self {
    case .ignored: nil
    case .problem(let problem): problem.id
    case .line(let line): line.id.isEmpty ? nil : line.id
    }
  }
}

extension ClientLine.Problem {
  package var code: ErrorCode { kind == .unknownVerb ? .unknownVerb : .badRequest }

  /// Says how to mend the line. It never repeats the line's own bytes, which may be a token or not even text.
  package var message: String {
    switch kind {
    case .invalidUTF8: "the line is not valid UTF-8"
    case .unknownVerb: "there is no such verb; \"help\" lists them"
    case .missingID: "an id must follow the verb"
    case .invalidID: "an id has 1 to 64 characters of A-Z a-z 0-9 _ . -"
    case .missingFunction: "a function must follow the id, as module:name"
    case .argumentsNotAnObject: "what follows the function must be one JSON object"
    case .payloadNotAnObject: "what follows \"hello\" must be one JSON object"
    case .tooManyWords: "there is more on the line than the verb takes"
    }
  }

  package var error: WireError { WireError(code, message) }
}

extension WordCursor {
  fileprivate var startsObjectOrEnds: Bool { nextByte == nil || nextByte == UInt8(ascii: "{") }
}
