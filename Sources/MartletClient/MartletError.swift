public import MartletValues
public import MartletWire

/// Why a request wasn't answered with a value, or why a subscription's query has none.
///
/// Most are the server's own words, passed on. Three codes are the client's: `connectionLost`, `clientClosed` and
/// `unexpectedAnswer`.
public struct MartletError: Error, Hashable, Sendable {
  public typealias Code = ErrorCode

  public var code: Code
  /// For a person: what is wrong and how to mend it.
  public var message: String
  /// What a function's own error carried, where it threw one that is meant for its caller.
  public var data: Value?

  public init(_ code: Code, _ message: String, data: Value? = nil) {
    self.code = code
    self.message = message
    self.data = data
  }

  init(_ error: WireError) {
    self.init(error.code, error.message, data: error.data)
  }
}

extension MartletError: CustomStringConvertible {
  /// Code and message. The data are left out: descriptions end up in logs.
  public var description: String { "\(code): \(message)" }
}

extension ErrorCode {
  /// There is no connection, or it ended before the answer came. Whether a mutation was committed is then not known.
  public static let connectionLost = ErrorCode(rawValue: "connection_lost")
  /// `close()` was called on this client.
  public static let clientClosed = ErrorCode(rawValue: "client_closed")
  /// The answer isn't of the type that was asked for, or the peer doesn't speak Martlet's protocol.
  public static let unexpectedAnswer = ErrorCode(rawValue: "unexpected_answer")
}
