/// What went wrong, as one word that programs can compare.
///
/// It is a struct and not an enum because the protocol grows by adding: a client that is older than its server keeps
/// a code that it doesn't know as it came, and passes it on.
public struct ErrorCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  public let rawValue: String

  public init(rawValue: String) {
    self.rawValue = rawValue
  }

  public var description: String { rawValue }
}

extension ErrorCode {
  /// The line can't be parsed.
  public static let badRequest = ErrorCode(rawValue: "bad_request")
  public static let unknownVerb = ErrorCode(rawValue: "unknown_verb")
  public static let unknownFunction = ErrorCode(rawValue: "unknown_function")
  /// A mutation was named in `query`, say.
  public static let wrongKind = ErrorCode(rawValue: "wrong_kind")
  public static let invalidArguments = ErrorCode(rawValue: "invalid_arguments")
  /// The id belongs to a request or subscription of this connection that has not ended.
  public static let duplicateID = ErrorCode(rawValue: "duplicate_id")
  public static let unknownID = ErrorCode(rawValue: "unknown_id")
  public static let unauthenticated = ErrorCode(rawValue: "unauthenticated")
  public static let forbidden = ErrorCode(rawValue: "forbidden")
  /// The function threw an error that is meant for its caller; `data` is the function's own.
  public static let application = ErrorCode(rawValue: "application")
  /// The function threw anything else; the details stay in the server's log.
  public static let functionFailed = ErrorCode(rawValue: "function_failed")
  public static let notFound = ErrorCode(rawValue: "not_found")
  public static let schemaViolation = ErrorCode(rawValue: "schema_violation")
  public static let limitExceeded = ErrorCode(rawValue: "limit_exceeded")
  public static let timeout = ErrorCode(rawValue: "timeout")
  public static let cancelled = ErrorCode(rawValue: "cancelled")
  public static let overloaded = ErrorCode(rawValue: "overloaded")
  /// The connection is closed after it.
  public static let lineTooLong = ErrorCode(rawValue: "line_too_long")
  public static let storageFailed = ErrorCode(rawValue: "storage_failed")
  public static let shuttingDown = ErrorCode(rawValue: "shutting_down")
  /// Only in `closing`: the socket took nothing for too long.
  public static let slowConsumer = ErrorCode(rawValue: "slow_consumer")

  /// Every code that a server of this version sends, in the order of the protocol's page.
  public static let all: [ErrorCode] = [
    .badRequest, .unknownVerb, .unknownFunction, .wrongKind, .invalidArguments, .duplicateID, .unknownID,
    .unauthenticated, .forbidden, .application, .functionFailed, .notFound, .schemaViolation, .limitExceeded,
    .timeout, .cancelled, .overloaded, .lineTooLong, .storageFailed, .shuttingDown, .slowConsumer,
  ]
}
