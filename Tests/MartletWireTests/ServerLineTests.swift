import MartletValues
import MartletWire
import Testing

@Suite("A server's lines")
struct ServerLineTests {
  @Test("Each kind is written as the protocol's page shows it, and read again")
  func roundTrip() {
    let json = Array("[1]".utf8)
    var writer = JSONWriter()
    json.withUnsafeBytes { json in
      writer.writeWelcomeLine(Welcome(server: "martlet/1.0", session: "s", maxLineBytes: 99))
      writer.writeOKLine(id: "a", timestamp: 42, json: json)
      writer.beginOK(id: "b", timestamp: UInt64(Int64.max))
      writer.write(raw: json)
      writer.endLine()
      writer.writeErrorLine(id: "c", WireError(.application, "no \"funds\"", data: .string("d")))
      writer.writeErrorLine(id: "", WireError(.badRequest, "m"))
      writer.writeUpdateLine(id: "e", json: json)
      writer.writePatchLine(id: "p", json: json)
      writer.writeFailedLine(id: "f", WireError(.functionFailed, "m"))
      writer.writeSyncedLine(timestamp: 0)
      writer.writeLogLine(id: "g", json: json)
      writer.writePongLine(text: json)
      writer.writePongLine(text: UnsafeRawBufferPointer(start: nil, count: 0))
      writer.writeExpiredLine(WireError(.unauthenticated, "m"))
      writer.writeClosingLine(WireError(.shuttingDown, "m"))
    }
    let lines = String(decoding: writer.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    #expect(
      lines == [
        #"welcome {"protocol":1,"server":"martlet/1.0","session":"s","maxLineBytes":99}"#,
        "ok a 42 [1]", "ok b 9223372036854775807 [1]",
        #"error c {"code":"application","message":"no \"funds\"","data":"d"}"#,
        #"error - {"code":"bad_request","message":"m"}"#,
        "update e [1]", "patch p [1]", #"failed f {"code":"function_failed","message":"m"}"#, "synced 0", "log g [1]", "pong [1]", "pong",
        #"expired {"code":"unauthenticated","message":"m"}"#, #"closing {"code":"shutting_down","message":"m"}"#,
      ])
    let kinds: [ServerLine.Kind] = [
      .welcome, .ok, .ok, .error, .error, .update, .patch, .failed, .synced, .log, .pong, .pong, .expired, .closing,
    ]
    let ids = ["", "a", "b", "c", "", "e", "p", "f", "", "g", "", "", "", ""]
    for (index, text) in lines.enumerated() {
      let bytes = Array(text.utf8)
      guard case .line(let line) = parse(text) else {
        Issue.record("\(text) is not read as a line")
        continue
      }
      #expect(line.kind == kinds[index])
      #expect(String(decoding: bytes[line.id], as: UTF8.self) == ids[index])
      if line.kind == .ok { #expect(line.timestamp == (index == 1 ? 42 : UInt64(Int64.max))) }
    }
  }

  @Test("What a newer server may say is ignored", arguments: ["", "# help", "progress 1 {}", "\r"])
  func ignored(text: String) {
    #expect(parse(text) == .ignored)
  }

  @Test(
    "A line without what it must have is malformed",
    arguments: [
      "ok", "ok 1", "ok 1 x null", "ok 1 2", "ok 1 18446744073709551616 null", "ok 1 -2 null", "update 1", "patch 1", "error",
      "error 1", "failed 1", "synced", "synced x", "welcome", "closing", "expired", "log 1",
    ])
  func malformed(text: String) {
    #expect(parse(text) == .malformed)
  }

  private func parse(_ text: String) -> ServerLine.Reading {
    Array(text.utf8).withUnsafeBytes { ServerLine.parse($0) }
  }
}
