/// A key of a keyboard, as far as a line's editor knows them.
enum Key: Hashable, Sendable {
  case character(Character)
  /// With Ctrl: `.control("a")`. Those that have a name of their own (Enter, Tab, Backspace) are not among them.
  case control(Character)
  /// With Alt: `.alt("b")`.
  case alt(Character)
  case enter, tab, backspace, delete, escape
  case left, right, up, down, home, end
  case wordLeft, wordRight, deleteWord
}

/// Makes keys of the bytes that a terminal sends for them: UTF-8, control characters and escape sequences.
///
/// Bytes come in any pieces. What a piece leaves unfinished waits for the next one, but for an Escape that ends a piece: that is the key itself,
/// as terminals send a sequence whole. Sequences of keys that are not known are taken whole and mean nothing.
struct KeyParser: Sendable {
  private var rest: [UInt8] = []

  mutating func keys(_ bytes: some Sequence<UInt8>) -> [Key] {
    rest += bytes
    var keys: [Key] = []
    var index = 0
    while index < rest.count, let (key, length) = Self.next(rest[index...]) {
      if let key { keys.append(key) }
      index += length
    }
    rest.removeFirst(index)
    return keys
  }

  /// The next key, if it is known, with the bytes that it takes; nil where more bytes must come first.
  private static func next(_ bytes: ArraySlice<UInt8>) -> (Key?, Int)? {
    let first = bytes.first!
    switch first {
    case 0x1B: return escape(bytes)
    case 0x0D, 0x0A: return (.enter, 1)
    case 0x09: return (.tab, 1)
    case 0x7F, 0x08: return (.backspace, 1)
    case 0: return (nil, 1)
    case 1...26: return (.control(Character(Unicode.Scalar(first + 0x60))), 1)
    case 27..<0x20: return (nil, 1)
    default: return character(bytes)
    }
  }

  private static func character(_ bytes: ArraySlice<UInt8>) -> (Key?, Int)? {
    let length =
      switch bytes.first! {
      case 0xC2...0xDF: 2
      case 0xE0...0xEF: 3
      case 0xF0...0xF4: 4
      default: 1
      }
    guard bytes.count >= length else { return nil }
    // What is no UTF-8 is no key: its first byte is dropped, and what follows is looked at anew.
    guard let text = String(validating: bytes.prefix(length), as: UTF8.self), let character = text.first else { return (nil, 1) }
    return (.character(character), length)
  }

  private static func escape(_ bytes: ArraySlice<UInt8>) -> (Key?, Int)? {
    let bytes = Array(bytes.prefix(16))
    guard bytes.count > 1 else { return (.escape, 1) }
    switch bytes[1] {
    case UInt8(ascii: "["), UInt8(ascii: "O"):
      // Parameters, then a letter or ~ that says which sequence it is.
      guard let end = bytes.dropFirst(2).firstIndex(where: { (0x40...0x7E).contains($0) }) else {
        return bytes.count < 16 ? nil : (nil, 2)
      }
      return (sequence(String(decoding: bytes[2..<end], as: UTF8.self), bytes[end]), end + 1)
    case 0x7F, 0x08: return (.deleteWord, 2)
    case 0x21..<0x7F: return (alt(Character(Unicode.Scalar(bytes[1]))), 2)
    default: return (.escape, 1)
    }
  }

  private static func alt(_ character: Character) -> Key {
    switch character {
    case "b": .wordLeft
    case "f": .wordRight
    default: .alt(character)
    }
  }

  private static func sequence(_ parameters: String, _ last: UInt8) -> Key? {
    // "1;5D" is Left with Ctrl, "1;3D" with Alt.
    let isByWord = parameters.hasSuffix(";5") || parameters.hasSuffix(";3")
    switch (last, parameters) {
    case (UInt8(ascii: "A"), _): return .up
    case (UInt8(ascii: "B"), _): return .down
    case (UInt8(ascii: "C"), _): return isByWord ? .wordRight : .right
    case (UInt8(ascii: "D"), _): return isByWord ? .wordLeft : .left
    case (UInt8(ascii: "H"), _), (UInt8(ascii: "~"), "1"), (UInt8(ascii: "~"), "7"): return .home
    case (UInt8(ascii: "F"), _), (UInt8(ascii: "~"), "4"), (UInt8(ascii: "~"), "8"): return .end
    case (UInt8(ascii: "~"), "3"): return .delete
    default: return nil
    }
  }
}
