package import MartletValues

/// What `hello` carries. Every member is optional on the wire.
package struct Hello: Sendable, Hashable {
  /// The protocol's version that the client speaks; nil means whatever the server speaks.
  package var protocolVersion: Int?
  /// A name that outlives connections: mutations sent again under it are answered, not run again.
  package var session: String?
  package var token: String?
  /// Whether `log` lines of functions are wanted.
  package var logs: Bool
  /// Whether the client takes `patch` lines in place of `update` lines.
  package var patches: Bool

  package init(
    protocolVersion: Int? = nil, session: String? = nil, token: String? = nil, logs: Bool = false, patches: Bool = false
  ) {
    self.protocolVersion = protocolVersion
    self.session = session
    self.token = token
    self.logs = logs
    self.patches = patches
  }

  /// Reads the rest of a `hello` line. No bytes at all stand for `{}`.
  package init(json: UnsafeRawBufferPointer) throws {
    self.init()
    guard !json.isEmpty else { return }
    var result = Hello()
    try PayloadReader.readObject(json) { reader, key in
      if key.isEqual(to: "protocol") {
        result.protocolVersion = try PayloadReader.readWhole(&reader, "protocol")
      } else if key.isEqual(to: "session") {
        result.session = try reader.readString()
      } else if key.isEqual(to: "token") {
        result.token = try reader.readString()
      } else if key.isEqual(to: "logs") {
        result.logs = try reader.readBoolean()
      } else if key.isEqual(to: "patches") {
        result.patches = try reader.readBoolean()
      } else {
        _ = try reader.skipValue()
      }
    }
    self = result
  }

  package func write(to writer: inout JSONWriter) {
    var comma = false
    writer.write(byte: UInt8(ascii: "{"))
    if let protocolVersion {
      writer.writeMember("protocol", &comma)
      writer.write(decimal: Int64(protocolVersion))
    }
    if let session {
      writer.writeMember("session", &comma)
      writer.write(string: session)
    }
    if let token {
      writer.writeMember("token", &comma)
      writer.write(string: token)
    }
    if logs {
      writer.writeMember("logs", &comma)
      writer.write(boolean: true)
    }
    if patches {
      writer.writeMember("patches", &comma)
      writer.write(boolean: true)
    }
    writer.write(byte: UInt8(ascii: "}"))
  }
}

/// What the server answers to `hello`.
package struct Welcome: Sendable, Hashable {
  package var protocolVersion: Int
  /// `martlet/<version>`
  package var server: String
  package var session: String
  /// The longest line that the server takes, its LF not counted.
  package var maxLineBytes: Int
  /// Whether `patch` lines may come.
  package var patches: Bool

  package init(
    protocolVersion: Int = WireProtocol.version, server: String, session: String, maxLineBytes: Int, patches: Bool = false
  ) {
    self.protocolVersion = protocolVersion
    self.server = server
    self.session = session
    self.maxLineBytes = maxLineBytes
    self.patches = patches
  }

  package init(json: UnsafeRawBufferPointer) throws {
    var result = Welcome(server: "", session: "", maxLineBytes: WireProtocol.defaultMaxLineBytes)
    try PayloadReader.readObject(json) { reader, key in
      if key.isEqual(to: "protocol") {
        result.protocolVersion = try PayloadReader.readWhole(&reader, "protocol")
      } else if key.isEqual(to: "server") {
        result.server = try reader.readString()
      } else if key.isEqual(to: "session") {
        result.session = try reader.readString()
      } else if key.isEqual(to: "maxLineBytes") {
        result.maxLineBytes = try PayloadReader.readWhole(&reader, "maxLineBytes")
      } else if key.isEqual(to: "patches") {
        result.patches = try reader.readBoolean()
      } else {
        _ = try reader.skipValue()
      }
    }
    self = result
  }

  package func write(to writer: inout JSONWriter) {
    var comma = false
    writer.write(byte: UInt8(ascii: "{"))
    writer.writeMember("protocol", &comma)
    writer.write(decimal: Int64(protocolVersion))
    writer.writeMember("server", &comma)
    writer.write(string: server)
    writer.writeMember("session", &comma)
    writer.write(string: session)
    writer.writeMember("maxLineBytes", &comma)
    writer.write(decimal: Int64(maxLineBytes))
    if patches {
      writer.writeMember("patches", &comma)
      writer.write(boolean: true)
    }
    writer.write(byte: UInt8(ascii: "}"))
  }
}

package enum WireProtocol {
  package static let version = 1
  package static let defaultHost = "127.0.0.1"
  package static let defaultPort = 7433
  package static let defaultMaxLineBytes = 16 << 20
  /// The longest id, in bytes.
  package static let maxIDBytes = 64
}

/// A payload is JSON, but not what it should be.
package enum PayloadError: Error, Hashable, CustomStringConvertible {
  case missing(String)
  case notAWholeNumber(String)

  package var description: String {
    switch self {
    case .missing(let name): "the member \"\(name)\" is missing"
    case .notAWholeNumber(let name): "the member \"\(name)\" must be a whole number from 0 to 2^53"
    }
  }
}

/// Reading of the small objects that the protocol itself defines.
enum PayloadReader {
  static func readObject(
    _ json: UnsafeRawBufferPointer, _ member: (inout JSONReader, _ key: UnsafeRawBufferPointer) throws -> Void
  ) throws {
    var reader = JSONReader(json)
    try reader.readObject(member)
    try reader.finish()
  }

  static func readWhole(_ reader: inout JSONReader, _ name: String) throws -> Int {
    let number = try reader.readDouble()
    guard number >= 0, number <= 0x1p53, number.rounded(.towardZero) == number else {
      throw PayloadError.notAWholeNumber(name)
    }
    return Int(number)
  }
}
