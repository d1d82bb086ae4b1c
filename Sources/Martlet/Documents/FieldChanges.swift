/// The members that a write sets or removes, each with its new JSON. Used again from write to write of a thread.
@usableFromInline
final class FieldChanges {
  /// Where a member's name and JSON stand in `bytes`. No JSON: the member is removed.
  private struct Change {
    var nameStart: Int
    var jsonStart: Int
    var jsonEnd: Int
    var isRemoval: Bool { jsonStart == jsonEnd }

    @inline(__always)
    func name(in bytes: UnsafeRawPointer) -> UnsafeRawBufferPointer {
      UnsafeRawBufferPointer(start: bytes + nameStart, count: jsonStart - nameStart)
    }

    @inline(__always)
    func json(in bytes: UnsafeRawPointer) -> UnsafeRawBufferPointer {
      UnsafeRawBufferPointer(start: bytes + jsonStart, count: jsonEnd - jsonStart)
    }
  }

  // All `@exclusivity(unchecked)`, since several of them are accessed for each member that is set, and each time would be checked at run
  // time; sound, since the list is used by one thread at a time, and no writing calls back into it.

  /// In the order of the names, the order of a canonical document's members.
  @exclusivity(unchecked) private var changes: ContiguousArray<Change> = []
  /// The names and JSON. Behind a pointer, so that the app's module writes to it without a call.
  @usableFromInline let bytes: UnsafeMutablePointer<JSONWriter>
  @exclusivity(unchecked) private var nameStart = 0
  @exclusivity(unchecked) private var jsonStart = 0
  /// Whether a field was set whose type alone doesn't make it fit its schema: an id may be of another table.
  @exclusivity(unchecked) private(set) var mustCheck = false

  init() {
    bytes = .allocate(capacity: 1)
    bytes.initialize(to: JSONWriter(capacity: 512))
  }

  deinit {
    bytes.deinitialize(count: 1)
    bytes.deallocate()
  }

  private var base: UnsafeRawPointer { bytes.pointee.withUnsafeBytes { $0.baseAddress! } }

  func removeAll() {
    changes.removeAll(keepingCapacity: true)
    bytes.pointee.removeAll()
    if !unfit.isEmpty { unfit = [] }
    isSorted = true
    if mustCheck {
      mustCheck = false
      illNamed = nil
    }
  }

  @inlinable
  func set<Value>(_ field: Field<Value>, to value: Value) {
    begin(field.label.bytes, mustCheck: field.mustCheck)
    if field.validator.absence?.isAbsent(value) != true { field.validator.encode(value, &bytes.pointee) }
    end()
    if field.mustCheck { keepUnfit(field.label.bytes, value) }
  }

  /// Values that JSON can't hold, so that a draft reads them as they were set until the write throws.
  @exclusivity(unchecked) private var unfit: [(name: UnsafeRawBufferPointer, value: Any)] = []

  @usableFromInline
  func keepUnfit(_ name: UnsafeRawBufferPointer, _ value: Any) {
    unfit.removeAll { compareBytes($0.name, name) == 0 }
    guard bytes.pointee.unfitNumber != 0 else { return }
    bytes.pointee.unfitNumber = 0
    unfit.append((name, value))
  }

  @usableFromInline
  func unfitValue(_ name: UnsafeRawBufferPointer) -> Any? { unfit.first { compareBytes($0.name, name) == 0 }?.value }

  /// Sets a member by its name, or removes it: one that the schema may not know, so that the write is checked.
  func set(name: String, to value: Value?) {
    if FieldName.problem(of: name) != nil, illNamed == nil { illNamed = name }
    var name = name
    name.withUTF8 { begin(UnsafeRawBufferPointer($0), mustCheck: true) }
    if let value { bytes.pointee.write(value: value) }
    end()
  }

  /// A name that no field can have, though one was set by it; the write throws at its end. Nil unless `mustCheck`.
  @exclusivity(unchecked) private(set) var illNamed: String?

  /// Adds a member where none was set.
  func add(_ name: UnsafeRawBufferPointer, json: [UInt8]) {
    if !isSorted { sort() }
    let base = base
    for change in changes where !change.isRemoval && compareBytes(change.name(in: base), name) == 0 { return }
    begin(name, mustCheck: false)
    bytes.pointee.write(raw: json)
    end()
  }

  /// Sets a member that was removed.
  func restore(_ name: UnsafeRawBufferPointer, json: [UInt8]) {
    if !isSorted { sort() }
    let base = base
    guard changes.contains(where: { $0.isRemoval && compareBytes($0.name(in: base), name) == 0 }) else { return }
    begin(name, mustCheck: false)
    bytes.pointee.write(raw: json)
    end()
  }

  /// What a new document has beside its own fields.
  func setSystemFields(id: DocumentID, creationTime: Double) {
    begin(Self.creationTimeName.bytes, mustCheck: false)
    bytes.pointee.write(double: creationTime)
    end()
    begin(Self.idName.bytes, mustCheck: false)
    bytes.pointee.write(id: id)
    end()
  }

  private static let creationTimeName = InternedName("_creationTime")
  private static let idName = InternedName("_id")

  /// Begins a member: its JSON is written to `bytes` next. None stands for the member's removal.
  @usableFromInline
  func begin(_ name: UnsafeRawBufferPointer, mustCheck: Bool) {
    if mustCheck { self.mustCheck = true }
    nameStart = bytes.pointee.count
    bytes.pointee.write(raw: name)
    jsonStart = bytes.pointee.count
  }

  /// Ends the member that was begun, and puts it in its place.
  @usableFromInline
  func end() {
    let change = Change(nameStart: nameStart, jsonStart: jsonStart, jsonEnd: bytes.pointee.count)
    if changes.count >= Self.fewChanges { return append(change) }
    let base = base
    let name = change.name(in: base)
    var index = changes.count
    while index > 0 {
      let order = compareBytes(changes[index - 1].name(in: base), name)
      if order == 0 {
        changes[index - 1] = change
        return
      }
      if order < 0 { break }
      index -= 1
    }
    changes.insert(change, at: index)
  }

  /// Up to so many, putting a change in its place costs less than sorting them all in the end.
  private static let fewChanges = 64
  @exclusivity(unchecked) private var isSorted = true

  /// Adds one of many, in no order: an object that a client sent may have a hundred thousand members.
  @inline(never)
  private func append(_ change: Change) {
    let base = base
    if let last = changes.last, compareBytes(last.name(in: base), change.name(in: base)) >= 0 { isSorted = false }
    changes.append(change)
  }

  @inline(never)
  private func sort() {
    let base = base
    isSorted = true
    // Of two changes of one member the later one holds: it stands further back in the bytes.
    changes.sort {
      let order = compareBytes($0.name(in: base), $1.name(in: base))
      return order != 0 ? order < 0 : $0.nameStart < $1.nameStart
    }
    var kept = 0
    for change in changes {
      if kept > 0, compareBytes(changes[kept - 1].name(in: base), change.name(in: base)) == 0 { kept -= 1 }
      changes[kept] = change
      kept += 1
    }
    changes.removeSubrange(kept...)
  }

  /// The JSON that a member has with these changes, valid until the next one; nil where it has none.
  @usableFromInline
  func member(_ name: UnsafeRawBufferPointer, of document: DocumentStorage?) -> UnsafeRawBufferPointer? {
    if !isSorted { sort() }
    let base = base
    for change in changes where compareBytes(change.name(in: base), name) == 0 {
      return change.isRemoval ? nil : change.json(in: base)
    }
    return document?.value(named: name)
  }

  /// Builds the document that `base` becomes by these changes: a merge of two lists in the order of their names.
  ///
  /// The system fields are members like the others: `base` has them, and an insert sets them through `setSystemFields`.
  func apply(to document: DocumentStorage?, with builder: inout DocumentBuilder) {
    builder.begin()
    if !isSorted { sort() }
    let base = base
    changes.withUnsafeBufferPointer { changes in
      var next = 0
      if let document {
        let count = document.fieldCount
        // What lies between two changes is copied at once.
        var copied = 0
        for field in 0..<count where next < changes.count {
          let name = document.name(ofField: field)
          while next < changes.count {
            let order = compareBytes(changes[next].name(in: base), name)
            if order > 0 { break }
            builder.append(copied..<field, of: document)
            copied = order == 0 ? field + 1 : field
            Self.append(changes[next], base, &builder)
            next += 1
          }
        }
        builder.append(copied..<count, of: document)
      }
      while next < changes.count {
        Self.append(changes[next], base, &builder)
        next += 1
      }
    }
  }

  private static func append(_ change: Change, _ base: UnsafeRawPointer, _ builder: inout DocumentBuilder) {
    if !change.isRemoval { builder.append(name: change.name(in: base), json: change.json(in: base)) }
  }
}
