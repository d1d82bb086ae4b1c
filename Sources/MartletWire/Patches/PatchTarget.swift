internal import MartletValues

/// A value while a patch is applied to it: text, but for the containers that an operation's path has led through.
///
/// Those are taken apart into their children, each a piece of the old value's text or of the patch's, once, however many operations go
/// there. So a patch costs a walk over the containers that it touches, and one copy of the result.
struct PatchTarget: ~Copyable {
  private let base: JSONScan
  private let patch: JSONScan
  private var root: Child

  private struct Piece {
    var isOfPatch: Bool
    var range: Range<Int>
  }

  private struct Child {
    /// With its quotes; nil in a list.
    var name: Piece?
    var text: Piece
    /// Takes the text's place, once it is there.
    var container: Container?
  }

  private final class Container {
    let isObject: Bool
    var children: ContiguousArray<Child>

    init(isObject: Bool, children: ContiguousArray<Child>) {
      self.isObject = isObject
      self.children = children
    }
  }

  init(base: JSONScan, patch: JSONScan) {
    self.base = base
    self.patch = patch
    root = Child(name: nil, text: Piece(isOfPatch: false, range: 0..<base.count), container: nil)
  }

  // MARK: Operations

  mutating func apply(_ operation: PatchOperation) throws {
    switch operation {
    case .set(let path, let value):
      let text = Piece(isOfPatch: true, range: value)
      guard let last = path.last else { return root = Child(name: nil, text: text, container: nil) }
      let container = try container(path)
      switch last {
      case .index(let index):
        try check(index, below: container.children.count, in: container)
        container.children[index] = Child(name: nil, text: text, container: nil)
      case .name(let name):
        let (index, isFound) = try place(of: name, in: container)
        let child = Child(name: Piece(isOfPatch: true, range: name), text: text, container: nil)
        if isFound { container.children[index] = child } else { container.children.insert(child, at: index) }
      }
    case .unset(let path):
      guard case .name(let name)? = path.last else { throw PatchError("the path of \"unset\" ends with a name") }
      let container = try container(path)
      let (index, isFound) = try place(of: name, in: container)
      guard isFound else { throw PatchError("there is no member \(text(Piece(isOfPatch: true, range: name)))") }
      container.children.remove(at: index)
    case .insert(let path, let values):
      let (container, index) = try list(path)
      try check(index, below: container.children.count + 1, in: container)
      let children = values.map { Child(name: nil, text: Piece(isOfPatch: true, range: $0), container: nil) }
      container.children.insert(contentsOf: children, at: index)
    case .remove(let path, let count):
      let (container, index) = try list(path)
      try check(index, below: container.children.count + 1, in: container)
      try check(count, below: container.children.count - index + 1, in: container)
      container.children.removeSubrange(index..<(index + count))
    case .move(let path, let target):
      let (container, index) = try list(path)
      try check(index, below: container.children.count, in: container)
      try check(target, below: container.children.count, in: container)
      container.children.insert(container.children.remove(at: index), at: target)
    }
  }

  private mutating func list(_ path: [PatchOperation.Step]) throws -> (Container, Int) {
    guard case .index(let index)? = path.last else { throw PatchError("the path ends with an index") }
    let container = try container(path)
    guard !container.isObject else { throw PatchError("there is no list") }
    return (container, index)
  }

  private func check(_ index: Int, below limit: Int, in container: Container) throws(PatchError) {
    guard !container.isObject else { throw PatchError("there is no list") }
    guard index < limit else { throw PatchError("the list has \(container.children.count) elements, and \(index) is too much") }
  }

  // MARK: Paths

  /// The container that holds what a path leads to.
  private mutating func container(_ path: [PatchOperation.Step]) throws -> Container {
    var container = try root.container ?? parse(root.text)
    root.container = container
    for step in path.dropLast() {
      let index: Int
      switch step {
      case .index(let place):
        try check(place, below: container.children.count, in: container)
        index = place
      case .name(let name):
        let found = try place(of: name, in: container)
        guard found.isFound else { throw PatchError("there is no member \(text(Piece(isOfPatch: true, range: name)))") }
        index = found.index
      }
      let child = try container.children[index].container ?? parse(container.children[index].text)
      container.children[index].container = child
      container = child
    }
    return container
  }

  /// Where a member stands, or would stand in the order of the names.
  private func place(of name: Range<Int>, in container: Container) throws(PatchError) -> (index: Int, isFound: Bool) {
    guard container.isObject else { throw PatchError("there is no object") }
    let name = patch.text(name)
    for (index, child) in container.children.enumerated() {
      let order = child.name.map { scan($0).text($0.range).order(name) } ?? 0
      if order >= 0 { return (index, order == 0) }
    }
    return (container.children.count, false)
  }

  private func parse(_ piece: Piece) throws(PatchError) -> Container {
    let scan = scan(piece)
    let isObject = scan.byte(piece.range.lowerBound) == UInt8(ascii: "{")
    guard isObject || scan.byte(piece.range.lowerBound) == UInt8(ascii: "[") else {
      throw PatchError("a path leads into a value that is neither object nor list")
    }
    let close = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
    var children: ContiguousArray<Child> = []
    var place = piece.range.lowerBound + 1
    while scan.byte(place) != close {
      var name: Piece?
      var start = place
      if isObject {
        guard let member = scan.member(place) else { throw PatchError("the value is no JSON at byte \(place)") }
        name = Piece(isOfPatch: piece.isOfPatch, range: member.name)
        start = member.value
      }
      guard let end = scan.valueEnd(start, limit: piece.range.upperBound) else { throw PatchError("the value is no JSON at byte \(start)") }
      children.append(Child(name: name, text: Piece(isOfPatch: piece.isOfPatch, range: start..<end), container: nil))
      switch scan.byte(end) {
      case UInt8(ascii: ","): place = end + 1
      case close: place = end
      default: throw PatchError("the value is no JSON at byte \(end)")
      }
    }
    return Container(isObject: isObject, children: children)
  }

  private func scan(_ piece: Piece) -> JSONScan { piece.isOfPatch ? patch : base }

  private func text(_ piece: Piece) -> String { String(decoding: scan(piece).bytes(piece.range), as: UTF8.self) }

  // MARK: The result

  func bytes() -> [UInt8] {
    var writer = JSONWriter(capacity: base.count + patch.count)
    write(root, to: &writer)
    return writer.bytes
  }

  private func write(_ child: Child, to writer: inout JSONWriter) {
    guard let container = child.container else { return writer.write(raw: scan(child.text).bytes(child.text.range)) }
    writer.write(byte: container.isObject ? UInt8(ascii: "{") : UInt8(ascii: "["))
    var isFirst = true
    for child in container.children {
      if !isFirst { writer.write(byte: UInt8(ascii: ",")) }
      isFirst = false
      if let name = child.name {
        writer.write(raw: scan(name).bytes(name.range))
        writer.write(byte: UInt8(ascii: ":"))
      }
      write(child, to: &writer)
    }
    writer.write(byte: container.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
  }
}
