/// A table whose documents are calls of functions: jobs, runs of the retrier, work of a pool.
///
/// What is told of a call's end (`onComplete`) learns from its document what it was for:
///
/// ```swift
/// let order = try ctx.db.get(run).argument("order", .id(Orders.self))
/// ```
public protocol RecordedCall: Table {
  /// The call's arguments, one object.
  var args: Field<Value> { get }
}

extension ScheduledFunctions: RecordedCall {}
extension RetryRuns: RecordedCall {}
extension WorkItems: RecordedCall {}

extension Document where T: RecordedCall {
  /// An argument of the call, as the function that was called declares it.
  /// - Throws: a `ValidationError` where the call has another, or none.
  public func argument<Argument: Sendable>(_ name: String, _ validator: Validator<Argument>) throws -> Argument {
    guard case .object(let arguments) = self.args, let argument = arguments[name] else {
      do { return try validator.decodeMember(nil) } catch { throw Self.placed(error, name) }
    }
    var writer = JSONWriter()
    writer.write(value: argument)
    do { return try writer.bytes.withUnsafeBytes { try validator.decodeMember($0) } } catch { throw Self.placed(error, name) }
  }

  private static func placed(_ error: any Error, _ name: String) -> any Error {
    guard var error = error as? ValidationError else { return error }
    error.path.insert(.field(name), at: 0)
    return error
  }
}
