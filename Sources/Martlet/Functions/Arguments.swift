import MartletWire

/// The arguments of one call: a JSON object whose members are found once, and decoded each by its validator.
public struct Arguments {
  private struct Member {
    var name: UnsafeRawBufferPointer
    var json: UnsafeRawBufferPointer
    var isTaken = false
  }

  private var members: ContiguousArray<Member> = []
  private var taken = 0

  /// - Parameter json: must outlive the arguments. No bytes stand for `{}`.
  @usableFromInline
  init(_ json: UnsafeRawBufferPointer) throws {
    guard !json.isEmpty else { return }
    var reader = JSONReader(json)
    members.reserveCapacity(8)
    do {
      try reader.readObject { reader, key in
        let range = try reader.skipValue()
        members.append(Member(name: key, json: UnsafeRawBufferPointer(rebasing: json[range])))
      }
      try reader.finish()
    } catch {
      throw WireError(.badRequest, "the arguments are not valid JSON: \(error)")
    }
  }

  /// Decodes an argument. An error's path begins with `args`.
  @inlinable
  public mutating func take<Value>(_ argument: Arg<Value>) throws -> Value {
    let json = try find(argument.nameBytes)
    do { return try argument.validator.decodeMember(json) } catch { throw Self.invalid(argument.nameBytes, error) }
  }

  /// The same for a function of the server's own, whose arguments are declared as data.
  mutating func take<Value>(_ name: String, _ validator: Validator<Value>) throws -> Value {
    try take(Arg(name, validator))
  }

  @usableFromInline
  mutating func find(_ name: UnsafeRawBufferPointer) throws -> UnsafeRawBufferPointer? {
    var found: UnsafeRawBufferPointer?
    for index in members.indices where compareBytes(members[index].name, name) == 0 {
      guard !members[index].isTaken else {
        throw Self.invalid(name, ValidationError(expected: "one value", found: "two"))
      }
      members[index].isTaken = true
      taken += 1
      found = members[index].json
    }
    return found
  }

  /// Throws where the call has an argument that the function doesn't know.
  public func finish() throws {
    guard taken == members.count else {
      let unknown = members.first { !$0.isTaken }!
      throw Self.invalid(unknown.name, ValidationError(expected: "no argument of this name", found: "one"))
    }
  }

  @usableFromInline
  static func invalid(_ name: UnsafeRawBufferPointer, _ error: any Error) -> any Error {
    let error = error as? ValidationError ?? ValidationError(expected: "a value", found: "\(error)")
    let path: [ValidationError.PathComponent] = [.field("args"), .field(String(decoding: name, as: UTF8.self))]
    return WireError(.invalidArguments, "\(ValidationError(path: path + error.path, expected: error.expected, found: error.found))")
  }
}
