import Testing

@testable import martlet_bench

/// The replies in a stream of bytes that arrives in two parts, split at `split`.
private func replies<Format: WireFormat>(_: Format.Type, in text: String, splitAt split: Int) throws -> [String] {
  let bytes = Array(text.utf8)
  var found: [String] = []
  var start = 0
  for end in [split, bytes.count] {
    try bytes.withUnsafeBytes { all in
      while start < end, let (reply, length) = try Format.nextReply(in: UnsafeRawBufferPointer(rebasing: all[start..<end])) {
        let slot = reply.slot.map { "\($0)" } ?? "-"
        found.append("\(reply.isError ? "error" : "ok") \(slot) \(String(decoding: reply.payload, as: UTF8.self))")
        start += length
      }
    }
  }
  #expect(start == bytes.count)
  return found
}

@Suite("Wire formats")
struct WireTests {
  @Test("RESP replies are found wherever the stream is split")
  func resp() throws {
    let text = "+OK\r\n:1\r\n$5\r\na\r\nbc\r\n$-1\r\n$0\r\n\r\n-ERR Insufficient funds\r\n"
    for split in 0...text.utf8.count {
      #expect(
        try replies(RESP.self, in: text, splitAt: split)
          == ["ok - OK", "ok - 1", "ok - a\r\nbc", "ok - ", "ok - ", "error - ERR Insufficient funds"])
    }
  }

  @Test("Martlet's replies are found wherever the stream is split, each with its slot")
  func martletLines() throws {
    let text = "ok 12 345 {\"a b\":1}\nerror 3 {\"code\":\"application\"}\nok 0 7 null\n"
    for split in 0...text.utf8.count {
      #expect(
        try replies(MartletLines.self, in: text, splitAt: split)
          == ["ok 12 {\"a b\":1}", "error 3 {\"code\":\"application\"}", "ok 0 null"])
    }
  }

  @Test(
    "A line that no load asks for ends the run",
    arguments: ["closing {}\n", "error - {}\n", "ok\n", "ok 1\n", "ok 1 2\n", "ok x 2 null\n", "ok 1234567890123456789012 2 null\n", "\n"])
  func unexpectedLines(line: String) {
    #expect(throws: BenchmarkError.self) {
      _ = try replies(MartletLines.self, in: line, splitAt: 0)
    }
  }
}
