import MartletClient
import MartletCommands
import MartletTesting
import Testing

/// The pages' apps, served and called: each of their functions at least once.
@Suite("The apps of the pages, run")
struct RunningSnippetTests {
  private static let chat = MartletApp(schema: [Channels.self, Messages.self], functions: [Chat.self], name: "chat")
  private static let todos = MartletApp(schema: [Todos.self], functions: [TodoFunctions.self], name: "todos")

  /// The samples name the port that a server has unless it is told another. Where somebody's server has it, nil: they can't be run.
  private static func atTheUsualPort(_ app: MartletApp) async throws -> ServedApp? {
    do { return try await ServedApp(app, port: 7_433) } catch let failure as Failure {
      guard failure.description.contains("can't listen") else { throw failure }
      return nil
    }
  }

  @Test("The README's todos")
  func todos() async throws {
    try await serving(Self.todos) { client in
      let birds = try await client.run(TodoFunctions.add("Feed the birds"))
      let boat = try await client.run(TodoFunctions.add("Mend the boat"))
      #expect(try await client.run(TodoFunctions.open(nil)).map(\.text) == ["Feed the birds", "Mend the boat"])
      try await client.run(TodoFunctions.finish(birds))
      #expect(try await client.run(TodoFunctions.open(1)).map(\.id) == [boat])
      #expect(try await client.run(TodoFunctions.openCount()) == 1)
      await expect(message: "Feed the birds is done already") { try await client.run(TodoFunctions.finish(birds)) }
      await expect(message: "A todo needs a text") { try await client.run(TodoFunctions.add("")) }
    }
  }

  @Test("docs/functions.md: channels and messages")
  func chat() async throws {
    try await serving(Self.chat) { client in
      let birds = try await client.run(Chat.createChannel("birds", .open))
      #expect(try await client.run(Chat.createChannel("birds", .invited)) == birds, "a title is created once")
      let other = try await client.run(Chat.createChannel("fish", .invited))
      let link = Link(url: "https://example.com/swift", title: "Swift")
      let first = try await client.run(Chat.post(birds, "ada", "Swifts are back", link))
      try await client.run(Chat.post(birds, "bob", "Where?", nil))
      let third = try await client.run(Chat.post(birds, "ada", "Over the roof", nil))
      try await client.run(Chat.post(other, "cy", "A carp", nil))
      for _ in 0..<3 { try await client.run(Chat.like(first)) }
      try await client.run(Chat.like(third))

      let latest = try await client.run(Chat.latest(birds, 2))
      #expect(latest.map(\.text) == ["Over the roof", "Where?"])
      #expect(try await client.run(Chat.latest(birds, nil)).map(\.likes) == [1, 0, 3])
      #expect(try await client.run(Chat.between(birds, "a", "b")).map(\.text) == ["Swifts are back", "Over the roof"])
      #expect(try await client.run(Chat.firstAuthors(birds, 5)) == ["ada", "bob"])
      let statistics = try await client.run(Chat.statistics(birds))
      #expect(statistics.messages == 3 && statistics.likes == 4)
      #expect(try await client.run(Chat.newest(birds)) == ["author": "ada", "text": "Over the roof"])
      #expect(try await client.run(Chat.export(birds)).count == 3)

      let page = try await client.run(Chat.history(birds, PaginationOptions(numItems: 2)))
      #expect(page.documents.map(\.author) == ["ada", "bob"] && !page.isDone)
      let next = try await client.run(Chat.history(birds, PaginationOptions(numItems: 2, cursor: page.continueCursor)))
      #expect(next.documents.map(\.link?.title) == ["Swift"] && next.isDone)
      let found = try await client.run(Chat.search(birds, .field("author") == "ada" && .field("likes") < 3, PaginationOptions(numItems: 9)))
      #expect(found.items == ["Over the roof"])

      let long = String(repeating: "x", count: 2_001)
      #expect(try await client.run(Chat.importAll(birds, ["One", long, "Two"])) == ["The message is too long"])
      let quote = try await client.run(Chat.postQuote(birds))
      #expect(try await client.run(Chat.latest(birds, 1)).map(\.id) == [quote])
      try await client.run(Chat.remove(quote))
      #expect(try await client.run(Chat.latest(birds, 1)).map(\.text) == ["Two"])
      await expect(message: "The message is too long") { try await client.run(Chat.post(birds, "ada", long, nil)) }
      await expect(code: .invalidArguments) {
        try await client.run(Chat.post(birds, "ada", "A link", Link(url: "http://example.com", title: nil)))
      }

      // Without the app's types.
      let untyped = try await client.query("chat:latest", ["channel": .string(birds.description), "limit": 1])
      guard case .array(let messages) = untyped, case .object(let message)? = messages.first else { throw Failure("no list of messages") }
      #expect(message["text"] == "Two")
    }
  }

  @Test("docs/functions.md: a live query, and live pages, as its clients show them")
  func clients() async throws {
    guard let served = try await Self.atTheUsualPort(Self.chat) else { return }
    let client = served.client
    let sample = Task { try await chatClient() }
    // The sample posts, and its channel is known by its title.
    let channel = try await client.run(Chat.createChannel("birds", .open))
    var texts: [String] = []
    for try await messages in client.subscribe(Chat.latest(channel, 10)) {
      texts = messages.map { "\($0.author): \($0.text)" }
      if !texts.isEmpty { break }
    }
    #expect(texts == ["ada: Swifts are back"])
    let paging = Task { try await pages(client, channel) }
    for number in 0..<25 { try await client.run(Chat.post(channel, "bob", "\(number)", nil)) }
    for task in [sample, paging] {
      task.cancel()
      // They watch until they are cancelled: no error but that.
      do { try await task.value } catch is CancellationError {}
    }
    await served.stop()

    guard let again = try await Self.atTheUsualPort(Self.todos) else { return }
    let todos = Task { try await todosClient() }
    for try await open in again.client.subscribe(TodoFunctions.open(nil)) where open.map(\.text) == ["Feed the birds"] { break }
    todos.cancel()
    do { try await todos.value } catch is CancellationError {}
    await again.stop()
  }

  @Test("docs/functions.md: who calls")
  func signIn() async throws {
    let tickets = Tickets { String($0.reversed().filter { $0 != "." }) }
    @Sendable func ticket(_ user: String) -> String { "\(user).4000000000000.\(tickets.signature("\(user).4000000000000"))" }
    let app = MartletApp(schema: [Purchases.self], functions: [Shop.self], tokens: tickets, name: "shop")
    let served = try await ServedApp(app)
    await expect(message: "sign in first") { try await served.client.run(Shop.getMyPurchases()) }
    await expect(code: .unauthenticated) { try await served.client.authenticate("ada.4000000000000.forged") }
    try await served.client.authenticate(ticket("ada"))
    try await served.client.run(Shop.buy("a lamp"))
    #expect(try await served.client.run(Shop.getMyPurchases()).map(\.item) == ["a lamp"])
    let bob = try await shopClient(served.port) { ticket("bob") }
    #expect(try await bob.run(Shop.getMyPurchases()).isEmpty)
    try await bob.run(Shop.buy("a chair"))
    #expect(try await bob.run(Shop.getMyPurchases()).map(\.buyer) == ["bob"])
    await bob.close()
    await served.stop()
  }

  @Test("docs/functions.md: a group of queries, and what is shown before the server has answered")
  func groupsAndUpdates() async throws {
    let server = try MartletTestServer(schema: [Channels.self, Messages.self], functions: [Chat.self])
    let client = try await server.client()
    let channel = try await client.run(Chat.createChannel("birds", .open))
    let watching = Task { try await dashboard(client, channel) }
    var updates = client.subscribe(Chat.latest(channel, 10)).updates.makeAsyncIterator()
    #expect(try await updates.next()?.value.isEmpty == true)
    // Nobody answers until time has passed.
    await server.disconnectClients()
    let posting = Task { try await post("Swifts are back", in: channel, at: server.now, client) }
    let expected = try await updates.next()
    #expect(try expected?.value.map(\.text) == ["Swifts are back"] && expected?.isOptimistic == true)
    await server.advance(by: .seconds(1))
    try await posting.value
    let message = try #require(try await client.run(Chat.latest(channel, 1)).first)
    #expect(message.text == "Swifts are back")
    try await like(message.id, in: channel, client)
    while let update = try await updates.next() {
      #expect(try update.value.map(\.text) == ["Swifts are back"])
      if !update.isOptimistic, try update.value.map(\.likes) == [1] { break }
    }
    watching.cancel()
    try await watching.value
  }

  @Test("docs/functions.md: members, teams and what a trigger counts")
  func members() async throws {
    try await serving(club) { client in
      var teams: [Value] = []
      for title in ["Swifts", "Martins"] {
        teams.append(try await client.mutation("_system:insert", ["table": "teams", "document": ["title": .string(title)]]))
      }
      let ids = teams.compactMap { if case .string(let text) = $0 { ID<Teams>(text) } else { nil } }
      func counts() async throws -> [Value] {
        let page = try await client.query("_system:documents", ["table": "teams"])
        guard case .object(let members) = page, case .array(let documents)? = members["page"] else { return [] }
        return documents.compactMap { if case .object(let team) = $0 { team["members"] } else { nil } }
      }
      #expect(try await counts() == [0, 0], "a default")
      let ada = try await client.run(Club.join("ada@example.com", ids[0]))
      let bob = try await client.run(Club.join("bob@example.com", ids[0]))
      #expect(try await client.run(Club.join("ada@example.com", ids[1])) == ada, "an address joins once")
      #expect(try await counts() == [2, 0])
      try await client.mutation("_system:patch", ["id": .string(bob.description), "fields": ["team": teams[1]]])
      #expect(try await counts() == [1, 1])
      try await client.mutation("_system:delete", ["id": .string(ada.description)])
      #expect(try await counts() == [0, 1])

      try await client.run(Club.record("goal", ["minute": 12, "by": "bob"], 2))
      let event = try await client.mutation("club:record", ["kind": "foul", "details": [:]])
      #expect(event != .null)
      let found = try await client.query("_system:documents", ["table": "events", "where": ["$eq": [["$field": "minute"], 12]]] as Value)
      #expect(found.description.contains("\"by\":\"bob\"") && found.description.contains("\"weight\":2"))
      let other = try await client.query("_system:documents", ["table": "events", "order": "desc", "limit": 1])
      #expect(other.description.contains("\"kind\":\"foul\"") && other.description.contains("\"weight\":1"), "an argument's default")
    }
  }

  @Test("docs/functions.md: customers by a member of their address, and of what they quote")
  func customers() async throws {
    let app = MartletApp(schema: [Customers.self, Channels.self, Messages.self], functions: [CustomerFunctions.self], name: "customers")
    try await serving(app) { client in
      func insert(_ company: String, _ city: String, _ page: Double?) async throws {
        var favourite: ObjectValue = ["text": "The swift"]
        if let page { favourite["page"] = .float64(page) }
        try await client.mutation(
          "_system:insert",
          [
            "table": "customers",
            "document": ["company": .string(company), "address": ["city": .string(city), "street": "Main"], "favourite": .object(favourite)],
          ])
      }
      try await insert("Z", "Oslo", 3)
      try await insert("A", "Oslo", 3)
      try await insert("B", "Rome", nil)
      #expect(try await client.run(CustomerFunctions.inCity("Oslo")).map(\.company) == ["A", "Z"])
      #expect(try await client.run(CustomerFunctions.inCity("Bonn")).isEmpty)
      #expect(try await client.run(CustomerFunctions.quoting(3)) == 2)
      await expect(code: .schemaViolation) { try await insert("C", "Oslo", 1.5) }
    }
  }

  @Test("docs/scheduling.md: reminders that are sent later, forgotten, delivered, mailed, limited, and swept by a cron")
  func reminders() async throws {
    try await serving(reminding) { client in
      let tea = try await client.run(Reminding.remind("tea", 0))
      for try await isSent in client.subscribe(Reminding.isSent(tea)) where isSent { break }
      let later = try await client.run(Reminding.remind("later", 3_600))
      #expect(try await client.run(Reminding.pending()) == ["reminders:send"])
      try await client.run(Reminding.forget(later))
      #expect(try await client.run(Reminding.pending()).isEmpty)

      try await client.run(Reminding.order(tea))
      for try await states in client.subscribe(Reminding.deliveries()) where states == ["success"] { break }
      let work = try await client.run(Reminding.mail(tea))
      for try await outcome in client.subscribe(Reminding.outcome(tea)) where outcome == "\"receipt 1\"" { break }
      #expect(try await client.run(Reminding.howFar(work)) == "over")
      try await client.run(Reminding.mailAll())
      try await client.run(Reminding.stopMailing())
      await expect(message: "too many reminders; try again in 6 s") {
        try await client.run(Reminding.remindAll("ada", Array(repeating: "x", count: 29)))
        try await client.run(Reminding.remindAll("ada", ["one", "more"]))
      }
      await expect(code: .forbidden) { try await client.run(Reminding.sweep()) }

      try await client.run(Reminding.everyDay("stretch", 8))
      guard case .array(let crons) = try await client.query("_system:crons") else { throw Failure("no list of crons") }
      #expect(crons.count == 4)
      _ = try await client.mutation("_system:runCron", ["name": "sweep"])
      for try await count in client.subscribe(Reminding.count()) where count <= 1 { break }
    }
  }

  @Test("docs/functions.md: an enum of links, quotes and dividers")
  func attachments() throws {
    func written(_ attachment: Attachment) -> String {
      var writer = JSONWriter()
      Attachment.validator.encode(attachment, &writer)
      return writer.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }
    func read(_ text: String) throws -> Attachment {
      let bytes = Array(text.utf8)
      return try bytes.withUnsafeBytes {
        var reader = JSONReader($0)
        return try Attachment.validator.decode(&reader)
      }
    }
    for text in [
      #"{"kind":"link","title":"Swift","url":"https://example.com"}"#, #"{"kind":"quote","page":3,"text":"The swift"}"#, #"{"kind":"divider"}"#,
    ] { #expect(try written(read(text)) == text) }
    #expect(throws: ValidationError.self) { try read(#"{"kind":"link","url":"http://example.com"}"#) }
    #expect(throws: ValidationError.self) { try read(#"{"kind":"image"}"#) }
  }
}

/// Expects the server's error with this message.
private func expect(
  message: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async {
  let error = await #expect(throws: MartletError.self, sourceLocation: sourceLocation) { try await body() }
  #expect(error?.message == message, sourceLocation: sourceLocation)
}

private func expect(
  code: MartletError.Code, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async {
  let error = await #expect(throws: MartletError.self, sourceLocation: sourceLocation) { try await body() }
  #expect(error?.code == code, sourceLocation: sourceLocation)
}
