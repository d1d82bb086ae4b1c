extension JSONWriter {
  /// A value in its canonical text.
  public mutating func write(value: Value) {
    switch value {
    case .null: writeNull()
    case .int64(let integer): write(int64: integer)
    case .float64(let double): write(double: double)
    case .boolean(let boolean): write(boolean: boolean)
    case .string(let string): write(string: string)
    case .bytes(let bytes): write(bytes: bytes)
    case .array(let elements):
      write(byte: UInt8(ascii: "["))
      var isFirst = true
      for element in elements {
        if !isFirst { write(byte: UInt8(ascii: ",")) }
        isFirst = false
        write(value: element)
      }
      write(byte: UInt8(ascii: "]"))
    case .object(let object): write(object: object)
    }
  }

  public mutating func write(object: ObjectValue) {
    write(byte: UInt8(ascii: "{"))
    var isFirst = true
    for (key, value) in object {
      if !isFirst { write(byte: UInt8(ascii: ",")) }
      isFirst = false
      write(key: key)
      write(value: value)
    }
    write(byte: UInt8(ascii: "}"))
  }

  /// A document's id, as a JSON string.
  public mutating func write(id: DocumentID) {
    let output = buffer.reserve(DocumentID.longestText + 2)
    output.storeBytes(of: UInt8(ascii: "\""), as: UInt8.self)
    let count = id.writeText(to: output + 1)
    output.storeBytes(of: UInt8(ascii: "\""), toByteOffset: count + 1, as: UInt8.self)
    buffer.count &+= count + 2
  }

  /// A document's id without quotes.
  public mutating func write(rawID id: DocumentID) {
    buffer.count &+= id.writeText(to: buffer.reserve(DocumentID.longestText))
  }
}
