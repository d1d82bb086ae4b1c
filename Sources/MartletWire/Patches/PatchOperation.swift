internal import MartletValues

/// One operation of a patch, its values left where they stand in the patch's text.
enum PatchOperation {
  enum Step {
    /// With its quotes.
    case name(Range<Int>)
    case index(Int)
  }

  case set([Step], Range<Int>)
  case unset([Step])
  case insert([Step], [Range<Int>])
  case remove([Step], count: Int)
  case move([Step], to: Int)

  /// Reads one operation: `["set",["page",7,"total"],2900]`.
  init(from reader: inout JSONReader) throws {
    guard try reader.enterArray() else { throw PatchError("is empty") }
    let verb = try reader.readString()
    guard try reader.hasNextElement() else { throw PatchError("has no path") }
    var path: [Step] = []
    try reader.readArray { reader throws in path.append(try Step(from: &reader)) }
    var values: [Range<Int>] = []
    while try reader.hasNextElement() { values.append(try reader.skipValue()) }

    switch (verb, values.count) {
    case ("set", 1): self = .set(path, values[0])
    case ("unset", 0): self = .unset(path)
    case ("insert", 1...): self = .insert(path, values)
    case ("remove", 0): self = .remove(path, count: 1)
    case ("remove", 1): self = .remove(path, count: try Self.whole(values[0], reader))
    case ("move", 1): self = .move(path, to: try Self.whole(values[0], reader))
    case ("set", _), ("unset", _), ("insert", _), ("remove", _), ("move", _):
      throw PatchError("\"\(verb)\" doesn't take \(values.count) values")
    default: throw PatchError("\"\(verb)\" is no operation; update the client")
    }
  }

  private static func whole(_ range: Range<Int>, _ reader: JSONReader) throws -> Int {
    var number = JSONReader(reader.bytes(in: range))
    return try PayloadReader.readWhole(&number, "index or count")
  }
}

extension PatchOperation.Step {
  init(from reader: inout JSONReader) throws {
    switch try reader.peek() {
    case .string: self = .name(try reader.skipValue())
    case .number: self = .index(try PayloadReader.readWhole(&reader, "index"))
    default: throw PatchError("a path is made of names and indexes")
    }
  }
}
