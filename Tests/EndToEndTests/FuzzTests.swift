import MartletValues
import TestSupport
import Testing

extension EndToEnd {
  @Suite("Nonsense")
  struct FuzzTests {
    let folder: TemporaryFolder
    let server: ServerProcess

    init() throws {
      folder = try TemporaryFolder()
      server = try ServerProcess(folder, examples: ["bank", "store"])
    }

    /// Random lines: valid ones with some bytes changed, cut out, doubled or moved, and bytes without any sense.
    struct Fuzzer {
      var random: TestRandom
      let templates: [[UInt8]]

      init(seed: UInt64, account: String, other: String, product: String) {
        random = TestRandom(seed: seed)
        let transfer = Bank.transfer(account, other, 3).json
        templates = [
          "mutation m1 accounts:transferFunds \(transfer)", #"query q-1 accounts:get {"id":"\#(account)"}"#,
          #"query q2 accounts:byOwner {"owner":"ünïcödé \u0041\ud83d\ude00"}"#, "query q3 accounts:total {}",
          #"query q4 accounts:richest {"limit":3}"#, #"subscribe s1 accounts:get {"id":"\#(other)"}"#, "unsubscribe s1",
          "cancel q3", "auth a1", "auth a2 token", "ping some text", "help", "# comment",
          #"hello {"protocol":1,"session":"s","token":"t","logs":true,"more":[1,{"a":null}]}"#,
          #"query q5 _system:documents {"table":"accounts","index":"by_balance","range":{"gte":0,"lt":1e9},"order":"desc","limit":2}"#,
          #"query q6 _system:documents {"table":"orders","cursor":"0011223344556677"}"#,
          #"query q7 products:list {"category":"c","includeInactive":true}"#,
          #"query q8 orders:getOrdersByStatus {"status":"pending","limit":1}"#,
          #"query q9 accounts:get {"id":{"$integer":"AAAAAAAAAAA="},"b":{"$float":"AAAAAAAA+H8="},"c":{"$bytes":"AAA="}}"#,
          #"mutation m3 accounts:open {"owner":{"$bytes":"AAEC"},"balance":-0.5e-7}"#, "query q10 _system:stats",
          "query q11 _system:tables",
        ].map { Array($0.utf8) }
      }

      /// Never one with an LF inside.
      mutating func line() -> [UInt8] {
        var line = templates.randomElement(using: &random)!
        switch Int.random(in: 0..<20, using: &random) {
        case 0:
          line = (0..<Int.random(in: 0..<200, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        case 1, 2: break
        default:
          for _ in 0..<Int.random(in: 1...4, using: &random) where !line.isEmpty { mutate(&line) }
        }
        return line.filter { $0 != 0x0A }
      }

      private mutating func mutate(_ line: inout [UInt8]) {
        let at = Int.random(in: line.indices, using: &random)
        let end = min(line.count, at + Int.random(in: 1...8, using: &random))
        switch Int.random(in: 0..<7, using: &random) {
        case 0: line[at] = .random(in: .min ... .max, using: &random)
        case 1: line[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 2: line.removeSubrange(at..<end)
        case 3: line.insert(contentsOf: line[at..<end], at: at)
        case 4: line.insert(Array("{}[]\":,\\u0-e.$_ \t\r\0".utf8).randomElement(using: &random)!, at: at)
        case 5: line.removeSubrange(at...)
        default:
          let other = templates.randomElement(using: &random)!
          line.replaceSubrange(at..., with: other.suffix(Int.random(in: 0...other.count, using: &random)))
        }
      }
    }

    @Test(
      "Whatever bytes come, the server goes on, others notice nothing, and money is neither made nor lost",
      arguments: [1, 2, 3] as [UInt64])
    func nonsense(seed: UInt64) throws {
      let control = try server.connect()
      let accounts = try control.openMany(4, 1_000_000)
      let sum = try control.total().sum
      try control.mutate("products:add", ["name": "p", "description": "", "price": 1, "stock": 5, "category": "c"])
      var fuzzer = Fuzzer(seed: seed, account: accounts[0], other: accounts[1], product: "p")
      var transfers = 0.0
      for _ in 0..<40 {
        let clients = try (0..<4).map { _ in try server.connect() }
        for _ in 0..<5 {
          for client in clients {
            var bytes: [UInt8] = []
            for _ in 0..<20 { bytes += fuzzer.line() + [0x0A] }
            // Cut where it falls, so that lines come in pieces too.
            while !bytes.isEmpty {
              let piece = bytes.prefix(Int.random(in: 1...bytes.count, using: &fuzzer.random))
              do { try client.send(bytes: Array(piece)) } catch { break }  // A line may have said bye.
              bytes.removeFirst(piece.count)
            }
          }
          try control.send("ping")
          #expect(try control.readLine() == "pong")
          #expect(try control.transfer(accounts[2], accounts[3], 1).verb == .ok)
          transfers += 1
        }
        for client in clients {
          client.closeWriting()
          // Each line of the server is one of the protocol: reading them says so.
          _ = try client.rest()
        }
      }
      #expect(try control.balance(accounts[3]) == 1_000_000 + transfers)
      let total = try control.total()
      // A mutated line may have opened an account; it has what it was opened with, and the others what they had.
      let opened = try CrashTests.accounts(control).filter { $0["owner"]?.text?.hasPrefix("owner-") != true }
      #expect(total.sum - opened.reduce(0) { $0 + ($1["balance"]?.number ?? 0) } == sum)
      #expect(try control.query("_system:stats")["connections"] == 1)
    }

    @Test("Promise 1: every line with an id of its own, however broken behind it, gets exactly one answer")
    func oneAnswerEach() throws {
      let control = try server.connect()
      let accounts = try control.openMany(2, 1_000_000)
      var fuzzer = Fuzzer(seed: 4, account: accounts[0], other: accounts[1], product: "p")
      let client = try server.connect()
      var expected: Set<String> = []
      for number in 0..<2_000 {
        // The verb and the id stay; subscriptions would be answered by an update, which comes later.
        let words = fuzzer.line().split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: true)
        let verb = ["query", "mutation", "unsubscribe", "cancel", "nothing"].randomElement(using: &fuzzer.random)!
        expected.insert("i\(number)")
        try client.send(bytes: Array("\(verb) i\(number) ".utf8) + (words.count > 2 ? words[2] : []) + [0x0A])
      }
      try client.send("bye")
      var answers: [String: Int] = [:]
      for message in try client.rest() where message.verb == .ok || message.verb == .error { answers[message.id, default: 0] += 1 }
      #expect(Set(answers.keys) == expected)
      #expect(answers.filter { $0.value != 1 }.isEmpty)
      #expect(try control.total().sum >= 2_000_000)
    }
  }
}
