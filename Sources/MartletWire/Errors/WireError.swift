package import MartletValues

/// The body of `error`, `failed` and `closing`: `{"code":"…","message":"…","data":…}`.
///
/// `data` is there only for an error that a function threw on purpose. Unknown members are skipped when reading, so
/// that members can be added; `code` and `message` are what a reader needs, and their absence is an error.
package struct WireError: Error, Sendable, Hashable {
  package var code: ErrorCode
  package var message: String
  package var data: Value?

  package init(_ code: ErrorCode, _ message: String, data: Value? = nil) {
    self.code = code
    self.message = message
    self.data = data
  }
}

extension WireError: CustomStringConvertible {
  /// The data are left out: a description ends up in logs, and they are the caller's business.
  package var description: String { "\(code): \(message)" }
}

extension WireError {
  package init(json: UnsafeRawBufferPointer) throws {
    var code: String?
    var message: String?
    var data: Value?
    try PayloadReader.readObject(json) { reader, key in
      if key.isEqual(to: "code") {
        code = try reader.readString()
      } else if key.isEqual(to: "message") {
        message = try reader.readString()
      } else if key.isEqual(to: "data") {
        data = try reader.readValue()
      } else {
        _ = try reader.skipValue()
      }
    }
    guard let code, let message else { throw PayloadError.missing(code == nil ? "code" : "message") }
    self.init(ErrorCode(rawValue: code), message, data: data)
  }

  package func write(to writer: inout JSONWriter) {
    writer.write(byte: UInt8(ascii: "{"))
    writer.write(key: "code")
    writer.write(string: code.rawValue)
    writer.write(byte: UInt8(ascii: ","))
    writer.write(key: "message")
    writer.write(string: message)
    if let data {
      writer.write(byte: UInt8(ascii: ","))
      writer.write(key: "data")
      writer.write(value: data)
    }
    writer.write(byte: UInt8(ascii: "}"))
  }
}
