/// What a field may be called that is named by a string, in a document of any table.
enum FieldName {
  /// Why a document can't have a field of this name; nil where it can.
  static func problem(of name: String) -> String? {
    if name.hasPrefix("_") { return "\"\(name)\" is given by the server and can't be set; leave it out" }
    guard (1...DocumentStorage.maximumNameLength).contains(name.utf8.count) else {
      return "a field's name has 1 to \(DocumentStorage.maximumNameLength) bytes"
    }
    let isFit = name.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
    // Documents hold the names of their fields as they are, without escapes.
    guard isFit, !name.hasPrefix("$") else {
      return "\(Value.string(name).json) can't be a field's name: it takes ASCII characters but \" and \\, and doesn't begin with $"
    }
    return nil
  }
}
