/// An error that knows whether what failed may go well when it is tried again: the retrier asks it. One that doesn't say is tried again.
///
/// `FetchError` and `HTTPStatusError` know; an app's own errors may:
///
/// ```swift
/// enum PaymentError: RetryDecision {
///   case declined, busy
///   var isRetryable: Bool { self == .busy }
/// }
/// ```
public protocol RetryDecision: Error {
  /// False for what would fail again in the same way.
  var isRetryable: Bool { get }
  /// How long to wait before, at least; nil where nobody said.
  var retryAfter: Duration? { get }
}

extension RetryDecision {
  public var retryAfter: Duration? { nil }
}

/// An answer that is no success: what `Response.requireSuccess` throws.
///
/// A status of 500 and more, and 429, may go well later; anything else won't.
public struct HTTPStatusError: Error, Sendable, Hashable, RetryDecision, CustomStringConvertible {
  public let status: Int
  /// Without its query, and without credentials.
  public let url: String
  /// What `Retry-After` says, in seconds from when the answer came; nil where it says nothing that can be understood.
  public let retryAfterSeconds: Double?
  /// The beginning of the body, at most 1,024 bytes, cut between words: of a secret that is repeated there (`Secrets`) no half is left.
  public let body: String

  static let excerptBytes = 1_024

  init(_ response: Response) {
    status = response.status
    url = FetchError.shown(response.url)
    retryAfterSeconds = response.headers["retry-after"].flatMap { RetryAfter.seconds($0, since: response.receivedMilliseconds) }
    body = String(decoding: Self.excerpt(of: response.body), as: UTF8.self)
  }

  /// Without a space or a quote in its second half, that half is left out.
  private static func excerpt(of body: [UInt8]) -> ArraySlice<UInt8> {
    let beginning = body.prefix(excerptBytes)
    guard body.count > excerptBytes else { return beginning }
    let end = beginning.lastIndex { $0 <= UInt8(ascii: " ") || $0 == UInt8(ascii: "\"") }.map { $0 + 1 } ?? 0
    return beginning.prefix(max(end, excerptBytes / 2))
  }

  public var isRetryable: Bool { status == 429 || status >= 500 }
  public var retryAfter: Duration? { retryAfterSeconds.map { .milliseconds($0 * 1_000) } }

  public var description: String {
    var text = "\(url) answered with status \(status)"
    if let retryAfterSeconds { text += ", to be tried again after \(retryAfterSeconds) s" }
    return body.isEmpty ? text : "\(text): \(body.debugDescription)"
  }
}

/// `Retry-After`: a number of seconds, or a date.
enum RetryAfter {
  /// The farthest that is believed, a year, so that nonsense stays a number.
  private static let mostSeconds = 366 * 86_400.0

  static func seconds(_ value: String, since now: Double) -> Double? {
    let text = value.utf8.drop { $0 == 0x20 || $0 == 9 }
    let digits = text.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    if !digits.isEmpty, text.dropFirst(digits.count).allSatisfy({ $0 == 0x20 || $0 == 9 }) {
      return min(digits.reduce(0.0) { $0 * 10 + Double($1 - UInt8(ascii: "0")) }, mostSeconds)
    }
    return HTTPDate.milliseconds(value).map { min(max(0, ($0 - now) / 1_000), mostSeconds) }
  }
}
