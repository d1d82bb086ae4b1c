extension JSONReader {
  @usableFromInline @inline(never)
  func unexpected(_ index: Int, _ expected: String) -> JSONError {
    guard index < end else { return JSONError(offset: end, message: "unexpected end at byte \(end), expected \(expected)") }
    let found = byte(index)
    let shown: String
    if found > 0x20 && found < 0x7F {
      shown = "'\(Character(Unicode.Scalar(found)))'"
    } else {
      let digits = String(found, radix: 16, uppercase: true)
      shown = "0x" + (digits.utf8.count < 2 ? "0" + digits : digits)
    }
    return JSONError(offset: index, message: "unexpected character \(shown) at byte \(index), expected \(expected)")
  }

  @usableFromInline @inline(never)
  func failure(_ index: Int, _ problem: String) -> JSONError {
    JSONError(offset: index, message: "\(problem) at byte \(index)")
  }

  @usableFromInline @inline(never)
  func tooDeep(_ index: Int) -> JSONError {
    failure(index, "\(JSONError.tooDeep) than \(maximumDepth) levels")
  }
}

extension JSONError {
  fileprivate static let tooDeep = "nested deeper"

  /// Whether the text nests more levels than the reader was told to go.
  package var isTooDeep: Bool { message.hasPrefix(Self.tooDeep) }
}
