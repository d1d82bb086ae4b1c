import BankExample
import Martlet
import MartletClient
import MartletTesting
import Testing

@Suite("A server within a test", .timeLimit(.minutes(1)))
struct TestServerTests {
  @Test("A client runs functions and sees their values live")
  func calls() async throws {
    let server = try Self.bank()
    let client = try await server.client()
    let alice = try await client.run(Bank.open("alice", 100))
    let bob = try await client.run(Bank.open("bob", 5))
    var totals = client.subscribe(Bank.total()).makeAsyncIterator()
    #expect(try await totals.next()?.count == 2)
    try await client.run(Bank.open("cy", 1))
    #expect(try await totals.next()?.total == 106)
    try await client.run(Bank.transferFunds(alice, bob, 30))
    #expect(try await client.run(Bank.get(bob)).balance == 35)
    let error = await #expect(throws: MartletError.self) { try await client.run(Bank.transferFunds(bob, alice, 1_000)) }
    #expect(error?.message == "Insufficient funds")
    await client.close()
    #expect(client.connectionState == .closed(nil))
  }

  @Test("Time passes when the test says so, and what is due in it runs at its time")
  func time() async throws {
    let server = try Self.bank()
    let client = try await server.client()
    let start = server.now
    let alice = try await client.run(Bank.open("alice", 100))
    let bob = try await client.run(Bank.open("bob", 0))
    try await client.run(Bank.payInInstalments(alice, bob, 10, 30, 86_400_000, 1_000))
    var balances = client.subscribe(Bank.get(bob)).updates.makeAsyncIterator()
    #expect(try await balances.next()?.value.balance == 0)
    await server.advance(by: .milliseconds(999))
    #expect(try await client.run(Bank.get(bob)).balance == 0)
    await server.advance(by: .milliseconds(1))
    #expect(try await balances.next()?.value.balance == 10)
    await server.advance(by: .seconds(3 * 86_400))
    #expect(try await balances.next()?.value.balance == 40, "a slow reader gets the newest")
    #expect(server.now == start + 3 * 86_400_000 + 1_000)
    await server.advance(by: .seconds(30 * 86_400))
    #expect(try await balances.next()?.value.balance == 100, "then the funds don't suffice")
  }

  @Test("The same seed gives the same ids, another one others")
  func seeds() async throws {
    func ids(_ seed: UInt64) async throws -> [ID<Accounts>] {
      let client = try await Self.bank(seed: seed).client()
      return try await client.run(Bank.openMany(5, 1))
    }
    let first = try await ids(7)
    #expect(try await ids(7) == first)
    #expect(try await ids(8) != first)
  }

  @Test("Data and subscriptions outlive a restart, and clients come back when time has passed")
  func restart() async throws {
    let server = try Self.bank()
    let client = try await server.client()
    let alice = try await client.run(Bank.open("alice", 100))
    var balances = client.subscribe(Bank.get(alice)).updates.makeAsyncIterator()
    _ = try await balances.next()
    try await server.restart()
    #expect(client.connectionState != .connected)
    async let bob = client.run(Bank.open("bob", 1))
    await server.advance(by: .seconds(1))
    #expect(client.connectionState == .connected)
    #expect(try await balances.next()?.value.balance == 100)
    try await client.run(Bank.transferFunds(alice, try await bob, 1))
    #expect(try await balances.next()?.value.balance == 99)
  }

  @Test("While the server can't be reached, requests wait, and fail after a minute")
  func unreachable() async throws {
    let server = try Self.bank()
    let client = try await server.client()
    await server.disconnectClients(for: .seconds(30))
    async let first = client.run(Bank.open("alice", 100))
    await server.advance(by: .seconds(45))
    _ = try await first
    await server.disconnectClients(for: .seconds(3_600))
    await server.advance(by: .seconds(61))
    let error = await #expect(throws: MartletError.self) { try await client.run(Bank.open("bob", 100)) }
    #expect(error?.code == .connectionLost)
  }

  @Test("Actions fetch what the test answers, after the time that it says")
  func fetching() async throws {
    let (requests, continuation) = AsyncStream.makeStream(of: String.self)
    let server = try MartletTestServer(
      schema: [], functions: [Outside.self], environment: ["PLACE": "there"],
      fetch: { request in
        continuation.yield(request.url)
        return request.url.hasSuffix("/slow") ? .response(Response(status: 200, body: Array("slow".utf8)), after: .seconds(5)) : .silence
      })
    let client = try await server.client()
    let start = server.now
    let slow = Task { try await client.run(Outside.fetch("slow")) }
    let never = Task { try await client.run(Outside.fetch("never")) }
    var urls = requests.makeAsyncIterator()
    #expect(await Set([urls.next(), urls.next()]) == ["https://example.com/slow", "https://example.com/never"])
    await server.advance(by: .seconds(5))
    #expect(try await slow.value == "there: slow")
    await server.advance(by: .seconds(25))
    await #expect(throws: MartletError.self) { try await never.value }
    #expect(server.now == start + 30_000)
  }

  @Test("What another server answers at once needs no time, called or scheduled")
  func fetchingAtOnce() async throws {
    let server = try MartletTestServer(
      schema: [], functions: [Outside.self], environment: ["PLACE": "there"],
      fetch: { _ in .response(Response(status: 200, body: Array("fast".utf8))) })
    let client = try await server.client()
    let start = server.now
    #expect(try await client.run(Outside.fetch("x")) == "there: fast")
    #expect(try await client.run(Outside.fetchLater("x")) == "scheduled")
    await server.settle()
    let jobs = try await client.query("_system:documents", ["table": "_scheduled_functions"])
    #expect(jobs["page"]?[0]?["state"]?["kind"] == "success")
    #expect(server.now == start)
  }

  @Test("An admin's client may call what is internal, and who signs in is whom the app's verifier says")
  func signingIn() async throws {
    let server = try MartletTestServer(schema: [], functions: [Outside.self], tokens: Names(), adminKey: "key")
    #expect(try await server.client(token: "key").run(Outside.secret()) == "admin")
    #expect(try await server.client(token: "ada").run(Outside.whoami()) == "ada")
    let stranger = try await server.client()
    #expect(try await stranger.run(Outside.whoami()) == "nobody")
    let error = await #expect(throws: MartletError.self) { try await stranger.run(Outside.secret()) }
    #expect(error?.code == .forbidden)
  }

  @Test("What keeps a server from starting is thrown")
  func refused() {
    #expect(throws: MissingVariable.self) {
      try MartletTestServer(schema: [], functions: [Outside.self], requiredEnvironment: ["PLACE"], environment: ["OTHER": "x"])
    }
    #expect(throws: (any Error).self) {
      try MartletTestServer(schema: [], functions: [Outside.self], crons: [Cron("bad", .cron("61 * * * *"), Outside.fetch("x"))])
    }
  }

  // MARK: Groups

  @Test("A group's values are of one snapshot, whatever is committed meanwhile")
  func groups() async throws {
    let server = try Self.bank()
    let client = try await server.client()
    try await client.run(Bank.openMany(3, 10))
    let writer = try await server.client()
    let writing = Task {
      for number in 1...60 { try await writer.run(Bank.open("n\(number)", Double(number))) }
    }
    var seen = 0
    for try await (total, richest, _) in client.subscribe(
      Bank.total(), Bank.richest(1_000), FunctionCall<Value>(kind: .query, name: "accounts:total")
    ) {
      #expect(total.count == richest.count)
      #expect(total.total == richest.reduce(0) { $0 + $1.balance })
      seen += 1
      if total.count == 63 { break }
    }
    #expect(seen > 1)
    try await writing.value
  }

  @Test("A query of a group that throws is a failure beside the others' values in updates, and ends the plain loop")
  func groupFailures() async throws {
    let server = try Self.bank()
    let client = try await server.client()
    let alice = try await client.run(Bank.open("alice", 100))
    _ = try await client.mutation("_system:delete", ["id": .string(alice.description)])
    let update = try await client.subscribe(Bank.get(alice), Bank.total()).updates.first { _ in true }
    let (account, total) = try #require(update).results
    #expect(throws: MartletError.self) { try account.get() }
    #expect(try total.get().count == 0)
    #expect(update?.timestamp ?? 0 > 0)
    let error = await #expect(throws: MartletError.self) {
      for try await (_, _) in client.subscribe(Bank.total(), Bank.get(alice)) { Issue.record("one of them has no value") }
    }
    #expect(error?.code == .notFound)
    let unknown = await #expect(throws: MartletError.self) {
      for try await _ in client.subscribe(Bank.total(), FunctionCall<Value>(kind: .query, name: "no:where")).updates {
        Issue.record("one of them isn't there")
      }
    }
    #expect(unknown?.code == .unknownFunction)
  }

  // MARK: Optimistic updates

  @Test("A transfer is shown before the server has answered, and stays; one that fails is taken back")
  func optimistic() async throws {
    let server = try Self.bank()
    let client = try await server.client()
    let (alice, bob) = (try await client.run(Bank.open("alice", 100)), try await client.run(Bank.open("bob", 0)))
    var updates = client.subscribe(Bank.get(alice), Bank.get(bob)).updates.makeAsyncIterator()
    _ = try await updates.next()
    // Nothing is answered while the server can't be reached.
    await server.disconnectClients()
    let first = Task { try await Self.transfer(client, alice, bob, 30) }
    let shown = try await updates.next()
    #expect(try shown?.values.0.balance == 70 && shown?.values.1.balance == 30 && shown?.isOptimistic == true)
    let second = Task { try await Self.transfer(client, alice, bob, 80) }
    let more = try await updates.next()
    #expect(try more?.values.0.balance == -10 && more?.isOptimistic == true)
    await server.advance(by: .seconds(1))
    try await first.value
    await #expect(throws: MartletError.self) { try await second.value }
    while let update = try await updates.next() {
      #expect(try [70, -10].contains(update.values.0.balance), "the balance before isn't shown again")
      guard !update.isOptimistic else { continue }
      #expect(try update.values.0.balance == 70 && update.values.1.balance == 30)
      break
    }
  }

  @Test("A new document is shown under an id of its own until the server has given it one")
  func placeholder() async throws {
    let server = try Self.bank()
    let client = try await server.client()
    try await client.run(Bank.open("alice", 100))
    var lists = client.subscribe(Bank.richest(10)).updates.makeAsyncIterator()
    _ = try await lists.next()
    await server.disconnectClients()
    let (id, now) = (ID<Accounts>.placeholder, server.now)
    let opening = Task {
      try await client.run(Bank.open("bob", 500)) { local in
        let account = try Document<Accounts>(placeholder: id, creationTime: now) {
          $0.owner = "bob"
          $0.balance = 500
        }
        local.update(Bank.richest(10)) { $0.insert(account, at: 0) }
      }
    }
    let shown = try await lists.next()
    #expect(try shown?.value.map(\.owner) == ["bob", "alice"])
    #expect(try shown?.value.first?.id == id)
    await server.advance(by: .seconds(1))
    let real = try await opening.value
    while let update = try await lists.next() {
      #expect(try update.value.map(\.owner) == ["bob", "alice"])
      guard !update.isOptimistic else { continue }
      #expect(try update.value.first?.id == real)
      break
    }
  }

  @Test("A caller who is cancelled takes the update back")
  func cancelled() async throws {
    let server = try Self.bank()
    let client = try await server.client()
    let alice = try await client.run(Bank.open("alice", 100))
    var updates = client.subscribe(Bank.get(alice)).updates.makeAsyncIterator()
    _ = try await updates.next()
    await server.disconnectClients()
    let paying = Task {
      let id = Value.string(alice.description)
      try await client.mutation("accounts:transferFunds", ["from": id, "to": id, "amount": 7]) { local in
        local.update("accounts:get", ["id": id]) { account in
          guard case .object(var members) = account else { return }
          members["balance"] = 93
          account = .object(members)
        }
      }
    }
    #expect(try await updates.next()?.value.balance == 93)
    paying.cancel()
    await #expect(throws: CancellationError.self) { try await paying.value }
    let update = try await updates.next()
    #expect(try update?.value.balance == 100 && update?.isOptimistic == false)
  }

  @Test("Only mutations take an optimistic update")
  func kinds() async throws {
    let client = try await Self.bank().client()
    let error = await #expect(throws: MartletError.self) { try await client.run(Bank.total()) { _ in } }
    #expect(error?.code == .badRequest)
  }

  // MARK: Means

  private static func bank(seed: UInt64 = 1) throws -> MartletTestServer {
    try MartletTestServer(schema: BankApp.tables, functions: BankApp.modules, seed: seed)
  }

  private static func transfer(_ client: MartletClient, _ from: ID<Accounts>, _ to: ID<Accounts>, _ amount: Double) async throws {
    try await client.run(Bank.transferFunds(from, to, amount)) { local in
      try local.update(Bank.get(from)) { account in try account.patch { $0.balance -= amount } }
      try local.update(Bank.get(to)) { account in try account.patch { $0.balance += amount } }
    }
  }
}

private enum Outside: FunctionModule {
  static let path = "outside"
  static let functions: [any ServerFunction] = [fetch, fetchLater, whoami, secret]

  static let whoami = Query("whoami") { ctx in ctx.identity.subject ?? "nobody" }
  static let secret = Query("secret", visibility: .internal) { ctx in ctx.identity.isAdmin ? "admin" : "" }

  static let fetchLater = Mutation("fetchLater", Arg("path", .string)) { ctx, path in
    try ctx.scheduler.run(after: .zero, fetch(path))
    return "scheduled"
  }

  static let fetch = Action("fetch", Arg("path", .string)) { ctx, path in
    let response = try await ctx.fetch("https://example.com/\(path)")
    return "\(try ctx.environment.require("PLACE")): \(response.text)"
  }
}

private struct Names: TokenVerifier {
  func verify(_ token: String) throws -> VerifiedToken { VerifiedToken(Identity(subject: token)) }
}
