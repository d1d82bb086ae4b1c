import MartletValues
import MartletWire
import Testing

@Suite("Payloads of the protocol")
struct PayloadTests {
  @Test("An error is written and read again, with data and without", arguments: ErrorCode.all)
  func errors(code: ErrorCode) throws {
    for error in [WireError(code, "a \"b\"\n"), WireError(code, "", data: ["k": [1, nil]])] {
      var writer = JSONWriter()
      error.write(to: &writer)
      #expect(try writer.bytes.withUnsafeBytes { try WireError(json: $0) } == error)
    }
  }

  @Test("Members that are not known are skipped")
  func unknownMembers() throws {
    let error = try read(#" {"hint":{"a":[1]},"message":"m","code":"new_code"} "#) { try WireError(json: $0) }
    #expect(error == WireError(ErrorCode(rawValue: "new_code"), "m"))
    let hello = try read(#"{"compress":true,"session":"s"}"#) { try Hello(json: $0) }
    #expect(hello == Hello(session: "s"))
  }

  @Test(
    "An error without code or message is refused",
    arguments: [#"{"code":"c"}"#, #"{"message":"m"}"#, "{}", "[]", "", #"{"code":1,"message":"m"}"#])
  func incompleteError(text: String) {
    #expect(throws: (any Error).self) { try read(text) { try WireError(json: $0) } }
  }

  @Test("A description holds no data, which may be private")
  func description() {
    #expect(WireError(.application, "no funds", data: "secret").description == "application: no funds")
  }

  @Test("hello is read with all of its members, and with none")
  func hello() throws {
    let full = try read(#"{"protocol":1,"session":"s","token":"t","logs":true,"patches":true}"#) { try Hello(json: $0) }
    #expect(full == Hello(protocolVersion: 1, session: "s", token: "t", logs: true, patches: true))
    var writer = JSONWriter()
    full.write(to: &writer)
    #expect(try writer.bytes.withUnsafeBytes { try Hello(json: $0) } == full)
    #expect(try read("") { try Hello(json: $0) } == Hello())
    #expect(try read("{}") { try Hello(json: $0) } == Hello())
  }

  @Test(
    "hello with members of other types is refused",
    arguments: [#"{"protocol":"1"}"#, #"{"protocol":1.5}"#, #"{"protocol":-1}"#, #"{"logs":1}"#, #"{"token":1}"#, "{} x"])
  func badHello(text: String) {
    #expect(throws: (any Error).self) { try read(text) { try Hello(json: $0) } }
  }

  @Test("welcome is written and read again")
  func welcome() throws {
    for patches in [false, true] {
      let welcome = Welcome(server: "martlet/0.1.0", session: "abc", maxLineBytes: 16 << 20, patches: patches)
      var writer = JSONWriter()
      welcome.write(to: &writer)
      #expect(try writer.bytes.withUnsafeBytes { try Welcome(json: $0) } == welcome)
    }
  }

  @Test("A code is listed once")
  func codesAreDistinct() {
    #expect(Set(ErrorCode.all).count == ErrorCode.all.count)
  }

  private func read<T>(_ text: String, _ body: (UnsafeRawBufferPointer) throws -> T) throws -> T {
    try Array(text.utf8).withUnsafeBytes(body)
  }
}
