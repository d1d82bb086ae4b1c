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

    @Test(
      "Promise 7: a client that doesn't read has values skipped, costs no growing memory, holds nobody up, and reads the newest at the end")
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

    @Test("Connections that are reset while much is sent to them end alone: the others go on")
    func resetWhileSending() throws {
      let setup = try server.connect()
      let accounts = try setup.openMany(2_000, 1_000)
      let watcher = try server.connect()
      try watcher.send("subscribe total accounts:richest {\"limit\":1}")
      _ = try watcher.group()
      for round in 0..<15 {
        let clients = try (0..<8).map { _ in try server.connect(receiveBufferBytes: 4_096) }
        for client in clients {
          try client.send(#"subscribe a accounts:richest {"limit":2000}"#, #"query b accounts:richest {"limit":2000}"#)
          try client.send(
            (0..<20).map { "mutation m\($0) accounts:transferFunds \(Bank.transfer(accounts[$0], accounts[$0 + 1], 1).json)" })
        }
        _ = try clients[round % 8].readLine()
        // Closing with unread bytes resets a connection.
        for client in clients { client.close() }
        #expect(try setup.transfer(accounts[round], accounts[1_999], 1).verb == .ok)
        #expect(try setup.total() == (2_000, 2_000_000))
      }
      _ = try watcher.updatesUpToNow(account: accounts[0])
    }

    @Test("G9: a client that sends and doesn't read is read from no further, and gets every answer once it reads")
    func sendsWithoutReading() throws {
      let setup = try server.connect()
      let owner = String(repeating: "o", count: 2_000)
      for _ in 0..<50 { _ = try setup.open(owner, 1) }
      let client = try server.connect(receiveBufferBytes: 4_096)
      let before = try server.residentBytes
      // Answers of 100 KB each, 200 MB together; the requests arrive with one or two reads.
      let count = 2_000
      let lines = (0..<count).map { #"query q\#($0) accounts:richest {"limit":50}"# }
      try client.send(bytes: Array((lines.joined(separator: "\n") + "\n").utf8), isReading: false)
      for _ in 0..<20 { #expect(try setup.total().count == 50) }
      #expect(try server.residentBytes - before < 60 << 20)
      // It closes its side, and is answered all the same.
      client.closeWriting()
      var answered: Set<Substring> = []
      while let line = try client.readLine() { answered.insert(line.split(separator: " ", maxSplits: 2)[1]) }
      #expect(answered.count == count && answered == Set((0..<count).map { "q\($0)" }), "\(answered.count) were answered")
    }
  }
}
