internal import MartletValues

/// The operations, as text.
extension PatchDiffer {
  /// Adds a step to the path: a name with its quotes.
  mutating func push(_ name: UnsafeRawBufferPointer) {
    if !path.isEmpty { path.append(UInt8(ascii: ",")) }
    path.append(contentsOf: name)
  }

  /// Runs `body` one step further down.
  mutating func inside(_ name: UnsafeRawBufferPointer, _ body: (inout PatchDiffer) -> Void) {
    let mark = path.count
    push(name)
    body(&self)
    path.removeLast(path.count - mark)
  }

  mutating func inside(_ index: Int, _ body: (inout PatchDiffer) -> Void) {
    let mark = path.count
    if !path.isEmpty { path.append(UInt8(ascii: ",")) }
    path.append(contentsOf: String(index).utf8)
    body(&self)
    path.removeLast(path.count - mark)
  }

  mutating func writeSet(_ value: UnsafeRawBufferPointer) {
    begin("set")
    output.write(raw: "],")
    output.write(raw: value)
    output.write(byte: UInt8(ascii: "]"))
  }

  mutating func writeUnset(_ name: UnsafeRawBufferPointer) {
    begin("unset")
    if !path.isEmpty { output.write(byte: UInt8(ascii: ",")) }
    output.write(raw: name)
    output.write(raw: "]]")
  }

  mutating func writeInsert(_ values: ArraySlice<Range<Int>>, at index: Int) {
    begin("insert", index)
    output.write(byte: UInt8(ascii: "]"))
    for value in values {
      output.write(byte: UInt8(ascii: ","))
      output.write(raw: new.bytes(value))
    }
    output.write(byte: UInt8(ascii: "]"))
  }

  mutating func writeRemove(_ count: Int, at index: Int) {
    begin("remove", index)
    if count == 1 { return output.write(raw: "]]") }
    output.write(raw: "],")
    output.write(decimal: Int64(count))
    output.write(byte: UInt8(ascii: "]"))
  }

  mutating func writeMove(from index: Int, to target: Int) {
    begin("move", index)
    output.write(raw: "],")
    output.write(decimal: Int64(target))
    output.write(byte: UInt8(ascii: "]"))
  }

  private mutating func begin(_ verb: StaticString, _ index: Int) {
    begin(verb)
    if !path.isEmpty { output.write(byte: UInt8(ascii: ",")) }
    output.write(decimal: Int64(index))
  }

  private mutating func begin(_ verb: StaticString) {
    output.write(raw: output.count > 1 ? ",[\"" : "[\"")
    output.write(raw: verb)
    output.write(raw: "\",[")
    output.write(raw: path)
  }
}
