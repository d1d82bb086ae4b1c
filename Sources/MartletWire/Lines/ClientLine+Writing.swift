package import MartletValues

/// Lines of a client, each with its LF. The caller answers for what it puts in: ids that `ClientLine` reads,
/// arguments that are one JSON object without an LF, tokens and texts without blanks and line ends.
extension JSONWriter {
  package mutating func writeHelloLine(_ hello: Hello) {
    write(raw: "hello ")
    hello.write(to: &self)
    endLine()
  }

  /// `query`, `mutation`, `action` or `subscribe`.
  package mutating func writeCallLine(_ verb: ClientVerb, id: String, function: String, arguments: [UInt8]) {
    precondition(verb.form == .call, "Only a call names a function")
    write(raw: verb.name)
    writeWord(id)
    writeWord(function)
    write(byte: UInt8(ascii: " "))
    write(raw: arguments)
    endLine()
  }

  package mutating func writeUnsubscribeLine(id: String) {
    write(raw: "unsubscribe")
    writeWord(id)
    endLine()
  }

  package mutating func writeCancelLine(id: String) {
    write(raw: "cancel")
    writeWord(id)
    endLine()
  }

  /// Without a token the connection's identity is cleared.
  package mutating func writeAuthLine(id: String, token: String?) {
    write(raw: "auth")
    writeWord(id)
    if let token { writeWord(token) }
    endLine()
  }

  package mutating func writePingLine(_ text: String = "") {
    write(raw: "ping")
    if !text.isEmpty { writeWord(text) }
    endLine()
  }

  package mutating func writeByeLine() {
    write(raw: "bye\n")
  }

  package mutating func endLine() {
    write(byte: 0x0A)
  }

  private mutating func writeWord(_ word: String) {
    write(byte: UInt8(ascii: " "))
    write(verbatim: word)
  }
}
