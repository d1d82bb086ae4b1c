import MartletValues

extension ValueDiff {
  /// For programs: `[{"op":"set","path":["j57…","balance"],"from":1,"value":2}]`. A path is names, places and ids, from the value's root; which
  /// of them a step is follows from what is there.
  var json: Value {
    .array(
      entries.map { entry in
        var fields: ObjectValue = ["path": .array(entry.path.map(\.json))]
        switch entry.change {
        case .added(let value, let place):
          fields["op"] = "add"
          fields["value"] = value
          fields["at"] = place.map { .float64(Double($0)) }
        case .removed(let value):
          fields["op"] = "remove"
          fields["from"] = value
        case .set(let from, let to):
          fields["op"] = "set"
          fields["from"] = from
          fields["value"] = to
        case .moved(let place):
          fields["op"] = "move"
          fields["at"] = .float64(Double(place))
        }
        return .object(fields)
      })
  }
}

extension ValueDiff.Step {
  fileprivate var json: Value {
    switch self {
    case .field(let name): .string(name)
    case .index(let index): .float64(Double(index))
    case .document(let id): .string(id)
    }
  }
}
