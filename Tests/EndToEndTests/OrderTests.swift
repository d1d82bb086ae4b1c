import MartletValues
import TestSupport
import Testing

extension EndToEnd {
  @Suite("Promise 1: order, and one answer each")
  struct OrderTests {
    let folder: TemporaryFolder
    let server: ServerProcess

    init() throws {
      folder = try TemporaryFolder()
      server = try ServerProcess(folder)
    }

    @Test("Promise 1: mutations of one connection run in the order they were sent")
    func pipelinedMutationsRunInOrder() throws {
      let client = try server.connect()
      // One coin goes from hand to hand: each transfer is possible only where all before it have run.
      let accounts = try client.openMany(200, 0)
      let purse = try client.open("purse", 1)
      try client.send(
        zip([purse] + accounts, accounts).enumerated().map { index, pair in
          "mutation m\(index) accounts:transferFunds \(Bank.transfer(pair.0, pair.1, 1).json)"
        })
      var last: UInt64 = 0
      for index in accounts.indices {
        let answer = try client.next()
        #expect(answer.verb == .ok && answer.id == "m\(index)", "\(answer)")
        #expect(answer.timestamp > last)
        last = answer.timestamp
      }
      #expect(try client.balance(accounts[199]) == 1)
    }

    @Test("Promise 1: a long mutation keeps its place before the short ones sent after it, and queries need not wait")
    func longMutationKeepsItsPlace() throws {
      let client = try server.connect()
      // It writes more than the engine's own thread does at once, so it runs on another.
      try client.send(
        #"mutation before accounts:open {"owner":"before","balance":1}"#,
        #"mutation long accounts:openMany {"count":9000,"balance":0}"#,
        #"mutation after accounts:open {"owner":"after","balance":1}"#,
        #"mutation later accounts:open {"owner":"later","balance":1}"#,
        "query q _system:stats")
      let answers = try ["before", "long", "after", "later"].map { try client.answer(to: $0) }
      for answer in answers { #expect(answer.verb == .ok, "\(answer)") }
      #expect(answers.map(\.timestamp) == answers.map(\.timestamp).sorted())
      #expect(Set(answers.map(\.timestamp)).count == 4)
      #expect(try client.answer(to: "q").verb == .ok)
      #expect(try client.total().count == 9003)
    }

    @Test("Promise 1: every request gets exactly one answer, whatever it is and however many are sent at once")
    func oneAnswerEach() throws {
      let client = try server.connect()
      let accounts = try client.openMany(2, 1_000)
      let transfer = Bank.transfer(accounts[0], accounts[1], 1).json
      let kinds = [
        "mutation ID accounts:transferFunds \(transfer)", "query ID accounts:total", "query ID accounts:nothing",
        "mutation ID accounts:total", "query ID accounts:get {", #"mutation ID accounts:open {"owner":1}"#,
        "action ID _system:snapshot", "query ID accounts:richest {\"limit\":1}", "cancel ID", "unsubscribe ID", "auth ID",
        "nonsense ID",
      ]
      var random = TestRandom(seed: 1)
      let lines = (0..<1_200).map { index in
        // Snapshots are files: a few will do.
        let kind = index % 100 == 0 ? kinds[6] : kinds.filter { $0 != kinds[6] }.randomElement(using: &random)!
        return kind.replacing("ID", with: "i\(index)")
      }
      try client.send(lines)
      var answers: [String: Int] = [:]
      while answers.count < lines.count {
        let message = try client.next()
        #expect(message.verb == .ok || message.verb == .error, "\(message)")
        answers[message.id, default: 0] += 1
      }
      // Whatever were answered twice would be answered before the connection ends.
      try client.send("bye")
      for message in try client.rest() where message.verb != .closing { answers[message.id, default: 0] += 1 }
      #expect(answers.filter { $0.value != 1 }.isEmpty)
      #expect(answers.count == lines.count)
    }
  }
}
