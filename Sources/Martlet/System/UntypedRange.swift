import MartletWire

/// A range of an index from JSON: `{"eq":[…],"gt"|"gte":…,"lt"|"lte":…}`.
struct UntypedRange {
  private let slot: IndexSlot
  private let fields: Int
  private var equalities: [Value] = []
  private var lower: (value: Value, isInclusive: Bool)?
  private var upper: (value: Value, isInclusive: Bool)?

  init(_ members: [String: Value], _ layout: TableLayout, _ slot: IndexSlot) throws {
    self.slot = slot
    for (name, value) in members {
      switch name {
      case "eq":
        guard case .array(let values) = value else { throw Self.invalid("eq: expected array, found another value") }
        equalities = values
      case "gt", "gte":
        guard lower == nil else { throw Self.invalid("gt and gte exclude each other") }
        lower = (value, name == "gte")
      case "lt", "lte":
        guard upper == nil else { throw Self.invalid("lt and lte exclude each other") }
        upper = (value, name == "lte")
      default: throw Self.invalid("\(name): expected eq, gt, gte, lt or lte")
      }
    }
    fields = slot.declaredPosition < 0 ? 1 : layout.definition.indexes[slot.declaredPosition].fields.count
    // The creation time, by which every index ends, can be named as well.
    let nameable = slot.declaredPosition < 0 ? 1 : fields + 1
    let named = equalities.count + (lower == nil && upper == nil ? 0 : 1)
    guard named <= nameable else {
      let names = layout.fields(of: slot).joined(separator: ", ")
      throw Self.invalid("index \(layout.name(of: slot)) is on (\(names)), the range names \(named) fields")
    }
  }

  private static func invalid(_ reason: String) -> WireError { WireError(.invalidArguments, "args.range.\(reason)") }

  var bounds: (lower: IndexKey?, upper: IndexKey?) {
    get throws {
      let prefix = try position(equalities)
      var from = equalities.isEmpty ? nil : prefix
      var to = equalities.isEmpty ? nil : try after(equalities)
      if let lower {
        from = lower.isInclusive ? try position(equalities + [lower.value]) : try after(equalities + [lower.value])
      }
      if let upper {
        to = upper.isInclusive ? try after(equalities + [upper.value]) : try position(equalities + [upper.value])
      }
      return (from, to)
    }
  }

  /// The first position of entries that begin with these values.
  private func position(_ values: [Value]) throws -> IndexKey {
    if slot == .byCreationTime, let value = values.first {
      guard case .float64(let time) = value else { throw Self.invalid("_creationTime: expected number, found another value") }
      return IndexKey(creationTime: time)
    }
    if slot == .byID, let value = values.first {
      guard case .string(let text) = value, let id = DocumentID(text) else {
        throw Self.invalid("_id: expected an id, found another value")
      }
      return IndexKey(id: InternalID(id))
    }
    var keys = IndexKeyWriter()
    for value in values.prefix(fields) { keys.append(value: value) }
    guard values.count > fields else { return keys.key(tie: 0) }
    guard case .float64(let time) = values[fields] else { throw Self.invalid("_creationTime: expected number, found another value") }
    return keys.key(tie: IndexKey.orderedBits(time))
  }

  /// The first position behind them.
  private func after(_ values: [Value]) throws -> IndexKey? {
    let position = try position(values)
    return slot.declaredPosition < 0 || values.count > fields ? position.successor : position.prefixSuccessor()
  }
}
