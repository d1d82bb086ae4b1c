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
  /// Names that were written with escapes; nil where there are none, as in nearly every call.
  private var unescaped: UnescapedNames?
  /// The catalog that ids are looked up in; nil where the tables of ids are not looked at. The engine keeps it alive.
  @usableFromInline let catalog: Unmanaged<AnyObject>?

  /// - Parameters:
  ///   - json: must outlive the arguments. No bytes stand for `{}`.
  ///   - catalog: the tables that ids among the arguments must be of.
  init(_ json: UnsafeRawBufferPointer, _ catalog: Catalog? = nil) throws {
    self.catalog = catalog.map { Unmanaged.passUnretained($0) }
    guard !json.isEmpty else { return }
    var reader = JSONReader(json)
    members.reserveCapacity(8)
    do {
      try reader.readObject { reader, key in
        // A name with escapes is lent for this call only.
        let name = reader.isLent(key) ? key : keep(key)
        let range = try reader.skipValue()
        members.append(Member(name: name, json: UnsafeRawBufferPointer(rebasing: json[range])))
      }
      try reader.finish()
    } catch {
      throw WireError(.badRequest, "the arguments are not valid JSON: \(error)")
    }
  }

  /// The arguments of an action's call.
  @usableFromInline
  init(_ json: UnsafeRawBufferPointer, for context: ActionContext) throws {
    try self.init(json, context.engine.catalog)
  }

  private mutating func keep(_ name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let names = unescaped ?? UnescapedNames()
    unescaped = names
    return names.keep(name)
  }

  /// Decodes an argument. An error's path begins with `args`.
  @inlinable
  public mutating func take<Value>(_ argument: Arg<Value>) throws -> Value {
    let json = try find(argument.nameBytes)
    do { return try argument.validator.decodeMember(json, context: catalog) } catch { throw Self.invalid(argument.nameBytes, error) }
  }

  /// The same for a function of the server's own, whose arguments are declared as data.
  mutating func take<Value>(_ name: String, _ validator: Validator<Value>) throws -> Value {
    try take(Arg(name, validator))
  }

  @usableFromInline
  mutating func find(_ name: UnsafeRawBufferPointer) throws -> UnsafeRawBufferPointer? {
    var found: UnsafeRawBufferPointer?
    for index in members.indices where compareBytes(members[index].name, name) == 0 {
      guard found == nil, !members[index].isTaken else {
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
    if let error = error as? WireError { return error }
    let error = error as? ValidationError ?? ValidationError(expected: "a value", found: "\(error)")
    return WireError(.invalidArguments, "\(error.prefixed(by: .field(String(decoding: name, as: UTF8.self))).prefixed(by: .field("args")))")
  }
}

/// Copies of names, alive as long as this is.
private final class UnescapedNames {
  private var names: [UnsafeMutableRawBufferPointer] = []

  func keep(_ name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: name.count, alignment: 1)
    copy.copyMemory(from: name)
    names.append(copy)
    return UnsafeRawBufferPointer(copy)
  }

  deinit { for name in names { name.deallocate() } }
}
