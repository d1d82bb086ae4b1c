/// What another server answered, whole.
///
/// Any answer is a response, one of status 500 as well: `requireSuccess` makes an error of it, which knows whether another try may help.
public struct Response: Sendable, Equatable {
  public var status: Int
  public var headers: Headers
  public var body: [UInt8]
  /// Where it came from: the request's, or where redirects led.
  public var url: String
  /// When it came, by the clock of this server: what a date in `Retry-After` is measured from.
  package var receivedMilliseconds = 0.0

  public init(status: Int, headers: Headers = [:], body: [UInt8] = [], url: String = "") {
    self.status = status
    self.headers = headers
    self.body = body
    self.url = url
  }

  public var isSuccess: Bool { (200..<300).contains(status) }

  /// The body as UTF-8; what is none is replaced by U+FFFD.
  public var text: String { String(decoding: body, as: UTF8.self) }

  /// The body as a value. Throws a `JSONError` for one that is no JSON.
  public func json() throws -> Value {
    try withReader { reader in
      // Names that begin with $ are nothing of ours in what others write.
      reader.allowsOperators = true
      return try reader.readValue()
    }
  }

  /// The body as a type that is `Decodable`; members that the type doesn't have are passed over.
  ///
  /// ```swift
  /// struct Charge: Codable { var id: String; var amount: Double }
  /// let charge = try response.requireSuccess().decode(as: Charge.self)
  /// ```
  public func decode<T: Decodable>(as type: T.Type = T.self) throws -> T {
    try withReader { reader in
      let value = try reader.decode(type)
      _ = try reader.skipValue()
      return value
    }
  }

  /// The body as a validator has it, who refuses what it doesn't know.
  public func decode<T>(_ validator: Validator<T>) throws -> T { try withReader { try validator.decode(&$0) } }

  private func withReader<T>(_ read: (inout JSONReader) throws -> T) throws -> T {
    try body.withUnsafeBytes { bytes in
      var reader = JSONReader(bytes)
      let value = try read(&reader)
      try reader.finish()
      return value
    }
  }

  /// Itself, if its status is 200 to 299.
  /// - Throws: `HTTPStatusError`
  @discardableResult
  public func requireSuccess() throws(HTTPStatusError) -> Response {
    guard isSuccess else { throw HTTPStatusError(self) }
    return self
  }
}
