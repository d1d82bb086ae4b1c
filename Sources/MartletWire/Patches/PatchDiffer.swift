internal import MartletValues

/// Finds the operations that turn one JSON text into another.
///
/// Commits change little, so most of two results is equal bytes, and the work is to find the path to where they aren't. The
/// texts' shared beginning and end are measured first. A container is walked in the old text alone while its children lie in the
/// shared beginning; from the first child that doesn't, both are walked, until both stand in front of a child, or of the end, with
/// equally much left within the shared end: the rest of both texts is then equal, and isn't looked at. Members are matched by name,
/// elements as `PatchDiffer+Lists` says. At each level that is known to its end, what came out is dropped if setting the value whole
/// is shorter.
///
/// Members can be told apart by one walk only if they stand in the order of their names, as canonical text has them. An
/// object that isn't so, or has names with escapes, or is one of the forms such as `{"$integer":…}`, is a value like a number: set whole.
struct PatchDiffer: ~Copyable {
  let old: JSONScan
  let new: JSONScan
  var output = JSONWriter(capacity: 256)
  /// The steps to the value that is compared, as text: `"page",7`.
  var path: [UInt8] = []
  private var depth = 0
  /// Bytes that may still be compared on the way down: a deep nest is compared at each of its levels.
  private var budget: Int

  /// Levels that are walked, one for each call. What lies deeper is set whole.
  private static let mostLevels = 64
  /// How often each byte may be looked at, on average.
  private static let mostLooks = 4

  /// Two values, or ends of containers, that are compared.
  struct Window {
    var oldEnd: Int
    var newEnd: Int
    /// Up to where, in the old text, both agree, as long as a place in the new text is the one in the old plus `shift`.
    var sharedEnd: Int
    var shift: Int
    /// Bytes on which both agree before their ends.
    var suffix: Int

    /// Whether the texts are equal from here on.
    @inline(__always)
    func isRestEqual(_ oldPlace: Int, _ newPlace: Int) -> Bool {
      oldEnd - oldPlace == newEnd - newPlace && oldEnd - oldPlace <= suffix
    }
  }

  enum Outcome {
    /// The containers have been compared, up to these places behind them.
    case ends(old: Int, new: Int)
    /// What follows, up to the window's end, is equal.
    case rest
    /// These are values to be set whole.
    case opaque
  }

  init(_ old: JSONScan, _ new: JSONScan) {
    self.old = old
    self.new = new
    budget = Self.mostLooks * (old.count + new.count)
    output.write(byte: UInt8(ascii: "["))
  }

  /// The whole patch; nil where the values have to be set whole.
  mutating func run() -> [UInt8]? {
    guard Self.isContainer(old.byte(0)), old.byte(0) == new.byte(0) else { return nil }
    switch container(0, 0, window(0..<old.count, 0..<new.count)) {
    case .opaque: return nil
    case .rest: break
    case .ends(let oldEnd, let newEnd):
      // Something stands behind the value.
      guard oldEnd == old.count, newEnd == new.count else { return nil }
    }
    output.write(byte: UInt8(ascii: "]"))
    return output.bytes
  }

  // MARK: Values

  /// Writes what makes of one value the other, at the path. They differ.
  mutating func change(_ was: Range<Int>, _ now: Range<Int>) {
    let mark = output.count
    if Self.isContainer(old.byte(was.lowerBound)), old.byte(was.lowerBound) == new.byte(now.lowerBound), budget > 0 {
      budget -= was.count + now.count
      if case .opaque = container(was.lowerBound, now.lowerBound, window(was, now)) {} else if isShorter(since: mark, now.count) { return }
      output.truncate(to: mark)
    }
    writeSet(new.bytes(now))
  }

  /// Whether what was written since `mark` is shorter than setting a value of this length at the path.
  private func isShorter(since mark: Int, _ length: Int) -> Bool { output.count - mark < length + path.count + 12 }

  private func window(_ was: Range<Int>, _ now: Range<Int>) -> Window {
    let (was, now, old, new) = (was, now, old.bytes(was), new.bytes(now))
    return Window(
      oldEnd: was.upperBound, newEnd: now.upperBound, sharedEnd: was.lowerBound + old.sharedPrefix(new),
      shift: now.lowerBound - was.lowerBound, suffix: old.sharedSuffix(new))
  }

  private static func isContainer(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") }

  private mutating func container(_ oldStart: Int, _ newStart: Int, _ window: Window) -> Outcome {
    guard depth < Self.mostLevels else { return .opaque }
    depth += 1
    defer { depth -= 1 }
    return old.byte(oldStart) == UInt8(ascii: "{") ? object(oldStart, newStart, window) : list(oldStart, newStart, window)
  }

  // MARK: Objects

  private mutating func object(_ oldStart: Int, _ newStart: Int, _ window: Window) -> Outcome {
    var window = window
    var (oldPlace, newPlace) = (oldStart + 1, newStart + 1)
    var oldName: Range<Int>?
    var newName: Range<Int>?
    while let member = old.member(oldPlace), let end = old.valueEnd(member.value, limit: window.sharedEnd), end < window.sharedEnd {
      guard Self.follows(member.name, oldName, old) else { return .opaque }
      if old.byte(end) == UInt8(ascii: "}") { return .ends(old: end + 1, new: end + 1 + window.shift) }
      guard old.byte(end) == UInt8(ascii: ",") else { return .opaque }
      oldName = member.name
      oldPlace = end + 1
    }
    if let oldName {
      newName = (oldName.lowerBound + window.shift)..<(oldName.upperBound + window.shift)
      newPlace = oldPlace + window.shift
    }

    while !window.isRestEqual(oldPlace, newPlace) {
      let was = old.member(oldPlace)
      let now = new.member(newPlace)
      guard was != nil || old.byte(oldPlace) == UInt8(ascii: "}"), now != nil || new.byte(newPlace) == UInt8(ascii: "}")
      else { return .opaque }
      if let was, !Self.follows(was.name, oldName, old) { return .opaque }
      if let now, !Self.follows(now.name, newName, new) { return .opaque }
      let order =
        switch (was, now) {
        case (let was?, let now?): old.text(was.name).order(new.text(now.name))
        case (_?, nil): -1
        case (nil, _?): 1
        case (nil, nil): 0
        }
      guard was != nil || now != nil else { return .ends(old: oldPlace + 1, new: newPlace + 1) }
      var (oldEnd, newEnd): (Int?, Int?)
      if order < 0, let was {
        oldEnd = old.valueEnd(was.value)
        writeUnset(old.bytes(was.name))
      } else if order > 0, let now {
        newEnd = new.valueEnd(now.value)
        guard let newEnd else { return .opaque }
        inside(new.bytes(now.name)) { $0.writeSet($0.new.bytes(now.value..<newEnd)) }
      } else if let was, let now {
        switch member(was, now, &window) {
        case .rest: return .rest
        case .opaque: return .opaque
        case .ends(let old, let new): (oldEnd, newEnd) = (old, new)
        }
      }
      if order <= 0 {
        guard let oldEnd, let next = Self.behind(oldEnd, old) else { return .opaque }
        (oldName, oldPlace) = (was?.name, next)
      }
      if order >= 0 {
        guard let newEnd, let next = Self.behind(newEnd, new) else { return .opaque }
        (newName, newPlace) = (now?.name, next)
      }
    }
    return .rest
  }

  /// Compares two members of one name.
  private mutating func member(_ was: JSONScan.Member, _ now: JSONScan.Member, _ window: inout Window) -> Outcome {
    let mark = output.count
    let pathMark = path.count
    push(new.bytes(now.name))
    defer { path.removeLast(path.count - pathMark) }
    if Self.isContainer(old.byte(was.value)), old.byte(was.value) == new.byte(now.value) {
      if now.value - was.value != window.shift || was.value >= window.sharedEnd {
        window.shift = now.value - was.value
        window.sharedEnd = was.value
          + old.bytes(was.value..<window.oldEnd).sharedPrefix(new.bytes(now.value..<window.newEnd))
      }
      switch container(was.value, now.value, window) {
      case .rest: return .rest
      case .ends(let oldEnd, let newEnd):
        if output.count > mark, !isShorter(since: mark, newEnd - now.value) {
          output.truncate(to: mark)
          writeSet(new.bytes(now.value..<newEnd))
        }
        return .ends(old: oldEnd, new: newEnd)
      case .opaque: output.truncate(to: mark)
      }
    }
    guard let oldEnd = old.valueEnd(was.value), let newEnd = new.valueEnd(now.value) else { return .opaque }
    let value = new.bytes(now.value..<newEnd)
    if old.bytes(was.value..<oldEnd).order(value) != 0 { writeSet(value) }
    return .ends(old: oldEnd, new: newEnd)
  }

  /// Whether a name comes after the one before it, and is one that a field can have.
  private static func follows(_ name: Range<Int>, _ last: Range<Int>?, _ scan: JSONScan) -> Bool {
    let text = scan.text(name)
    guard !text.contains(UInt8(ascii: "\\")), text.first != UInt8(ascii: "$") else { return false }
    guard let last else { return true }
    return scan.text(last).order(text) < 0
  }

  /// Where the next child begins, or the container ends.
  static func behind(_ end: Int, _ scan: JSONScan) -> Int? {
    switch scan.byte(end) {
    case UInt8(ascii: ","): end + 1
    case UInt8(ascii: "}"), UInt8(ascii: "]"): end
    default: nil
    }
  }
}
