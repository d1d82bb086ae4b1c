import MartletValues
import Testing

extension EndToEnd {
  @Suite("Promise 7: slow readers")
  struct SlowReaderTests {
    let folder: TemporaryFolder
    let server: ServerProcess

    init() throws {
      folder = try TemporaryFolder()
      server = try ServerProcess(folder)
    }

    @Test("Promise 7: a client that doesn't read has values skipped, costs no growing memory, holds nobody up, and reads the newest at the end")
    func stalledReader() throws {
      let setup = try server.connect()
      let accounts = try setup.openMany(2_000, 1_000)
      let stalled = try server.connect(receiveBufferBytes: 4_096)
      let reader = try server.connect()
      // Some 200 KB each time it changes.
      let subscription = #"subscribe s accounts:richest {"limit":2000}"#
      try stalled.send(bytes: Array("\(subscription)\nsubscribe total accounts:total\n".utf8), isReading: false)
      try reader.send(subscription)
      _ = try reader.group()
      let before = try server.residentBytes
      var last: UInt64 = 0
      let changes = 300
      for change in 0..<changes {
        last = try setup.transfer(accounts[change], accounts[change + 1_000], 1).timestamp
        // Who reads is told each time.
        #expect(try reader.group().timestamp >= last)
      }
      #expect(try server.residentBytes - before < 30 << 20, "300 values of 200 KB are 60 MB")
      var view = LiveView()
      var values = 0
      while view.timestamp < last {
        let message = try stalled.next()
        if message.verb == .update, message.id == "s" { values += 1 }
        _ = try view.take(message)
      }
      #expect(values < changes / 2, "values were skipped")
      #expect(try view.values["s"]?.rest == setup.request("query", "accounts:richest", ["limit": 2_000]).rest)
      #expect(view["total"]?["count"] == 2_000)
    }

    @Test("G9: a client that sends and doesn't read is read from no further, and gets every answer once it reads")
    func sendsWithoutReading() throws {
      let setup = try server.connect()
      _ = try setup.openMany(1_000, 1)
      let client = try server.connect(receiveBufferBytes: 4_096)
      let before = try server.residentBytes
      // Answers of 100 KB each; all of them would be 100 MB.
      let lines = (0..<1_000).map { #"query q\#($0) accounts:richest {"limit":1000}"# }
      try client.send(bytes: Array((lines.joined(separator: "\n") + "\n").utf8), isReading: false)
      for _ in 0..<20 { #expect(try setup.total().count == 1_000) }
      #expect(try server.residentBytes - before < 60 << 20)
      for index in lines.indices {
        guard let line = try client.readLine() else { throw Failure("closed after \(index) answers") }
        #expect(line.hasPrefix("ok q\(index) "))
      }
    }
  }
}
