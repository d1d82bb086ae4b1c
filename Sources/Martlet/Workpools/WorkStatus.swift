/// How a piece of work stands.
///
/// On the wire `{"state":"pending","position":3,"attempt":1}`, `{"state":"running","attempt":1}` or
/// `{"state":"finished","result":{"type":"success","returnValue":…}}`.
public enum WorkStatus: Sendable, Hashable {
  /// `position` counts what of its pool takes its turn before it. Attempts count from 1; this one is to come.
  case pending(position: Int, attempt: Int)
  case running(attempt: Int)
  case finished(WorkResult)
}

/// How much a workpool has to do.
public struct WorkCounts: Sendable, Hashable {
  /// Work that waits: for a place, for its time, or to be tried again.
  public let pending: Int
  public let running: Int
}

extension WorkStatus: WireValue {
  public static func decode(from reader: inout JSONReader) throws -> WorkStatus {
    guard case .object(let members) = try reader.readValue() else { throw ValidationError(expected: "a status of work", found: "another value") }
    switch (members["state"], members["position"], members["attempt"], members["result"]) {
    case ("pending", .float64(let position)?, .float64(let attempt)?, nil): return .pending(position: Int(position), attempt: Int(attempt))
    case ("running", nil, .float64(let attempt)?, nil): return .running(attempt: Int(attempt))
    case ("finished", nil, nil, let result?): return .finished(try decode(result))
    default: throw ValidationError(expected: "a status of work", found: "another object")
    }
  }

  private static func decode(_ result: Value) throws -> WorkResult {
    var json = JSONWriter()
    json.write(value: result)
    return try json.withUnsafeBytes {
      var reader = JSONReader($0)
      return try Validator.workResult.decode(&reader)
    }
  }

  public func encode(to writer: inout JSONWriter) {
    switch self {
    case .pending(let position, let attempt):
      writer.write(object: ["attempt": .float64(Double(attempt)), "position": .float64(Double(position)), "state": "pending"])
    case .running(let attempt): writer.write(object: ["attempt": .float64(Double(attempt)), "state": "running"])
    case .finished(let result): writer.write(object: ["result": result.value, "state": "finished"])
    }
  }

  public static var shape: ValidatorShape {
    .union([
      .object([
        .init(name: "attempt", shape: .wholeNumber), .init(name: "position", shape: .wholeNumber), .init(name: "state", shape: .literal("pending")),
      ]),
      .object([.init(name: "attempt", shape: .wholeNumber), .init(name: "state", shape: .literal("running"))]),
      .object([.init(name: "result", shape: Validator.workResult.shape), .init(name: "state", shape: .literal("finished"))]),
    ])
  }
}
