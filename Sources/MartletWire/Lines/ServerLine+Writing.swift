package import MartletValues

/// Lines of a server. A line whose JSON is at hand is written whole, its LF included. Where a value is to be encoded
/// in place, `beginOK` and `beginUpdate` write what stands before it, and `endLine` what stands after.
///
/// Each exists for an id as bytes of the request's own line, which is how most answers are written, and as a string.
extension JSONWriter {
  package mutating func writeWelcomeLine(_ welcome: Welcome) {
    write(raw: "welcome ")
    welcome.write(to: &self)
    endLine()
  }

  package mutating func beginOK(id: UnsafeRawBufferPointer, timestamp: UInt64) {
    write(raw: "ok ")
    write(raw: id)
    write(byte: UInt8(ascii: " "))
    write(decimal: Int64(timestamp))
    write(byte: UInt8(ascii: " "))
  }

  package mutating func writeOKLine(id: UnsafeRawBufferPointer, timestamp: UInt64, json: UnsafeRawBufferPointer) {
    beginOK(id: id, timestamp: timestamp)
    write(raw: json)
    endLine()
  }

  /// An empty id is written as `-`.
  package mutating func writeErrorLine(id: UnsafeRawBufferPointer, _ error: WireError) {
    write(raw: "error ")
    if id.isEmpty { write(byte: UInt8(ascii: "-")) } else { write(raw: id) }
    write(byte: UInt8(ascii: " "))
    error.write(to: &self)
    endLine()
  }

  package mutating func beginUpdate(id: UnsafeRawBufferPointer) {
    write(raw: "update ")
    write(raw: id)
    write(byte: UInt8(ascii: " "))
  }

  package mutating func writeUpdateLine(id: UnsafeRawBufferPointer, json: UnsafeRawBufferPointer) {
    beginUpdate(id: id)
    write(raw: json)
    endLine()
  }

  package mutating func writePatchLine(id: UnsafeRawBufferPointer, json: UnsafeRawBufferPointer) {
    write(raw: "patch ")
    write(raw: id)
    write(byte: UInt8(ascii: " "))
    write(raw: json)
    endLine()
  }

  package mutating func writeFailedLine(id: UnsafeRawBufferPointer, _ error: WireError) {
    write(raw: "failed ")
    write(raw: id)
    write(byte: UInt8(ascii: " "))
    error.write(to: &self)
    endLine()
  }

  package mutating func writeSyncedLine(timestamp: UInt64) {
    write(raw: "synced ")
    write(decimal: Int64(timestamp))
    endLine()
  }

  package mutating func writeLogLine(id: UnsafeRawBufferPointer, json: UnsafeRawBufferPointer) {
    write(raw: "log ")
    write(raw: id)
    write(byte: UInt8(ascii: " "))
    write(raw: json)
    endLine()
  }

  package mutating func writePongLine(text: UnsafeRawBufferPointer) {
    write(raw: "pong")
    if !text.isEmpty {
      write(byte: UInt8(ascii: " "))
      write(raw: text)
    }
    endLine()
  }

  package mutating func writeExpiredLine(_ error: WireError) {
    write(raw: "expired ")
    error.write(to: &self)
    endLine()
  }

  package mutating func writeClosingLine(_ error: WireError) {
    write(raw: "closing ")
    error.write(to: &self)
    endLine()
  }
}

extension JSONWriter {
  package mutating func beginOK(id: String, timestamp: UInt64) {
    withBytes(of: id) { $0.beginOK(id: $1, timestamp: timestamp) }
  }

  package mutating func writeOKLine(id: String, timestamp: UInt64, json: UnsafeRawBufferPointer) {
    withBytes(of: id) { $0.writeOKLine(id: $1, timestamp: timestamp, json: json) }
  }

  package mutating func writeErrorLine(id: String, _ error: WireError) {
    withBytes(of: id) { $0.writeErrorLine(id: $1, error) }
  }

  package mutating func beginUpdate(id: String) {
    withBytes(of: id) { $0.beginUpdate(id: $1) }
  }

  package mutating func writeUpdateLine(id: String, json: UnsafeRawBufferPointer) {
    withBytes(of: id) { $0.writeUpdateLine(id: $1, json: json) }
  }

  package mutating func writePatchLine(id: String, json: UnsafeRawBufferPointer) {
    withBytes(of: id) { $0.writePatchLine(id: $1, json: json) }
  }

  package mutating func writeFailedLine(id: String, _ error: WireError) {
    withBytes(of: id) { $0.writeFailedLine(id: $1, error) }
  }

  package mutating func writeLogLine(id: String, json: UnsafeRawBufferPointer) {
    withBytes(of: id) { $0.writeLogLine(id: $1, json: json) }
  }

  private mutating func withBytes(of id: String, _ body: (inout JSONWriter, UnsafeRawBufferPointer) -> Void) {
    var id = id
    id.withUTF8 { body(&self, UnsafeRawBufferPointer($0)) }
  }
}
