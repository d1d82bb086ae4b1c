extension JSONWriter {
  /// Copies the next value of a JSON text in its canonical spelling: no white space, members in the order of their names, one form
  /// for each number and string. Texts that mean the same become equal bytes.
  ///
  /// Unlike reading a `Value` and writing that, it takes any names, so also what is no value of the database: an expression
  /// such as `{"$gt":[…]}`. A member that stands twice stays so, for whoever reads the copy to refuse.
  package mutating func write(canonical reader: inout JSONReader) throws(JSONError) {
    switch try reader.peek() {
    case .null:
      try reader.readNull()
      writeNull()
    case .boolean: write(boolean: try reader.readBoolean())
    case .number: write(double: try reader.readDouble())
    case .string: write(string: try reader.readString())
    case .array:
      write(byte: UInt8(ascii: "["))
      if try reader.enterArray() {
        var isFirst = true
        repeat {
          if !isFirst { write(byte: UInt8(ascii: ",")) }
          isFirst = false
          try write(canonical: &reader)
        } while try reader.hasNextElement()
      }
      write(byte: UInt8(ascii: "]"))
    case .object: try write(canonicalObject: &reader)
    }
  }

  private mutating func write(canonicalObject reader: inout JSONReader) throws(JSONError) {
    var members: [(name: String, json: [UInt8])] = []
    do {
      try reader.readObject { reader, key throws in
        var member = JSONWriter()
        let name = String(utf8Bytes: key)
        try member.write(canonical: &reader)
        members.append((name, member.bytes))
      }
    } catch let error as JSONError {
      throw error
    } catch {
      preconditionFailure("reading JSON throws its own errors: \(error)")
    }
    // A stable sort: which of two equal names was first decides what is said of the second.
    members.sort { Value.order(utf8: $0.name, $1.name) < 0 }
    write(byte: UInt8(ascii: "{"))
    for (index, member) in members.enumerated() {
      if index > 0 { write(byte: UInt8(ascii: ",")) }
      write(key: member.name)
      write(raw: member.json)
    }
    write(byte: UInt8(ascii: "}"))
  }
}
