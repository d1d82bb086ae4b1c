/// How a retried action ended, as its `onComplete` mutation is told: `Arg("result", .retryResult)`.
///
/// On the wire `{"type":"success","returnValue":…}`, `{"type":"failed","error":"…"}` or `{"type":"canceled"}`.
public enum RetryResult: Sendable, Hashable {
  case success(Value)
  case failed(String)
  case canceled

  var value: Value {
    switch self {
    case .success(let value): ["type": "success", "returnValue": value]
    case .failed(let error): ["type": "failed", "error": .string(error)]
    case .canceled: ["type": "canceled"]
    }
  }
}

extension Validator where T == RetryResult {
  public static var retryResult: Validator {
    Validator(
      shape: .union([
        .object([.init(name: "returnValue", shape: .any), .init(name: "type", shape: .literal("success"))]),
        .object([.init(name: "error", shape: .string), .init(name: "type", shape: .literal("failed"))]),
        .object([.init(name: "type", shape: .literal("canceled"))]),
      ]),
      decode: { reader in
        guard case .object(let members) = try reader.readValue() else { throw ValidationError(expected: "a retry's result", found: "another value") }
        switch (members["type"], members["returnValue"], members["error"]) {
        case ("success", let value?, nil): return .success(value)
        case ("failed", nil, .string(let error)?): return .failed(error)
        case ("canceled", nil, nil): return .canceled
        default: throw ValidationError(expected: "a retry's result", found: "another object")
        }
      },
      encode: { $1.write(value: $0.value) })
  }
}
