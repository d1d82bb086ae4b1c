import MartletWire

/// The arguments of one call: a JSON object, each member of which is decoded by its validator.
///
/// Members that come in the order in which they are taken, that of the function's declaration, are decoded as they are met: one pass over the text, and
/// no memory. Where one doesn't, or anything at all is wrong, the whole object is gone through and its members are listed; every error is
/// found there, and so is the same whatever way was taken. It may be found by `finish()` only: nothing is done before that.
public struct Arguments {
  private struct Member {
    var name: UnsafeRawBufferPointer
    var json: UnsafeRawBufferPointer
    var isTaken = false
  }

  private enum Stage {
    /// `reader` stands before the name of the member that comes next, and all before it were taken.
    case inOrder
    /// All members were taken in order, and nothing else follows.
    case ended
    /// The members are in `members`.
    case listed
  }

  private static let depthInOrder = 63

  private let json: UnsafeRawBufferPointer
  @usableFromInline var reader: JSONReader
  private var stage = Stage.ended
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
    self.json = json
    self.catalog = catalog.map { Unmanaged.passUnretained($0) }
    // A level less than there may be, since a value's decoder doesn't count all: what is deeper goes the other way, where they are counted.
    reader = JSONReader(json, maximumDepth: Self.depthInOrder)
    reader.context = self.catalog
    guard !json.isEmpty else { return }
    do {
      if try reader.enterObject() { stage = .inOrder } else { try reader.finish() }
    } catch {
      try list()
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
    if argument.isPlain, isNext(argument.nameBytes) {
      do {
        let value = try argument.validator.decode(&reader)
        if passMember() { return value }
      } catch {}
      try list()
    }
    let json = try find(argument.nameBytes)
    do { return try argument.validator.decodeMember(json, context: catalog) } catch { throw Self.invalid(argument.nameBytes, error) }
  }

  /// Whether the member that comes next has this name; `reader` stands before its value then.
  @usableFromInline
  mutating func isNext(_ name: UnsafeRawBufferPointer) -> Bool {
    guard stage == .inOrder else { return false }
    do { return try reader.passName(name) } catch { return false }
  }

  /// Passes what follows a member's value; false where that is nothing that may.
  @usableFromInline
  mutating func passMember() -> Bool {
    do {
      if try !reader.hasNextMember() {
        try reader.finish()
        stage = .ended
      }
      taken += 1
      return true
    } catch {
      return false
    }
  }

  /// Lists all members. Those that were taken in order are the first.
  @usableFromInline
  mutating func list() throws {
    stage = .listed
    members.reserveCapacity(8)
    var reader = JSONReader(json)
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
    let count = taken
    taken = 0
    for index in 0..<count { _ = try find(members[index].name) }
  }

  /// The same for a function of the server's own, whose arguments are declared as data.
  mutating func take<Value>(_ name: String, _ validator: Validator<Value>) throws -> Value {
    try take(Arg(name, validator))
  }

  @usableFromInline
  mutating func find(_ name: UnsafeRawBufferPointer) throws -> UnsafeRawBufferPointer? {
    switch stage {
    case .ended: return nil
    case .inOrder: try list()
    case .listed: break
    }
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
    switch stage {
    case .ended: return
    case .inOrder:
      var listed = self
      try listed.list()
      try listed.finish()
    case .listed:
      guard taken == members.count else {
        let unknown = members.first { !$0.isTaken }!
        throw Self.invalid(unknown.name, ValidationError(expected: "no argument of this name", found: "one"))
      }
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
