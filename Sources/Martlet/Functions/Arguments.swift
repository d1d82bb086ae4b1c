import MartletWire

/// The arguments of one call: a JSON object whose members are found once, and decoded each by its validator.
public struct Arguments {
  @usableFromInline
  struct Member {
    @usableFromInline var name: UnsafeRawBufferPointer
    @usableFromInline var json: UnsafeRawBufferPointer
    @usableFromInline var isTaken = false
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

  /// Decodes the argument called `name`. An error's path begins with `args`.
  public mutating func take<Value>(_ name: String, _ validator: Validator<Value>) throws -> Value {
    var name = name
    return try name.withUTF8 { name in
      var found: UnsafeRawBufferPointer?
      for index in members.indices
      where members[index].name.count == name.count
        && compareBytes(members[index].name, UnsafeRawBufferPointer(name)) == 0
      {
        guard !members[index].isTaken else {
          throw Self.invalid(name, ValidationError(expected: "one value", found: "two"))
        }
        members[index].isTaken = true
        taken += 1
        found = members[index].json
      }
      do { return try validator.decodeMember(found) } catch { throw Self.invalid(name, error) }
    }
  }

  /// Throws where the call has an argument that the function doesn't know.
  public func finish() throws {
    guard taken == members.count else {
      let unknown = members.first { !$0.isTaken }!
      throw unknown.name.withMemoryRebound(to: UInt8.self) {
        Self.invalid($0, ValidationError(expected: "nothing, the function takes no such argument", found: "a value"))
      }
    }
  }

  private static func invalid(_ name: UnsafeBufferPointer<UInt8>, _ error: any Error) -> WireError {
    let error = error as? ValidationError ?? ValidationError(expected: "a value", found: "\(error)")
    let path: [ValidationError.PathComponent] = [.field("args"), .field(String(decoding: name, as: UTF8.self))]
    return WireError(.invalidArguments, "\(ValidationError(path: path + error.path, expected: error.expected, found: error.found))")
  }
}
