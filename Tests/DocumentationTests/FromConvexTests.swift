import Martlet
import MartletClient
import MartletCommands
import MartletTesting
import Synchronization
import Testing

/// docs/from-convex.md: its app, each of its functions called at least once.
@Suite("The app of docs/from-convex.md, run", .timeLimit(.minutes(5)))
struct FromConvexTests {
  /// The other services: what they answer, by address.
  private final class Services: Sendable {
    let answers = Mutex<[String: (status: Int, body: String)]>([:])
    let asked = Mutex<[String]>([])

    func set(_ address: String, _ status: Int, _ body: String = "") { answers.withLock { $0[address] = (status, body) } }

    func reply(_ request: Request) -> MartletTestServer.FetchReply {
      let address = request.url.replacing("https://", with: "")
      asked.withLock { $0.append(address) }
      let (status, body) = answers.withLock { $0[address] } ?? (404, "")
      return .response(Response(status: status, body: Array(body.utf8)))
    }
  }

  private let services = Services()
  private let server: MartletTestServer

  init() throws {
    let services = services
    server = try MartletTestServer(
      schema: [Stations.self, Readings.self, SyncLogs.self, Imports.self, Inbox.self, Subscribers.self],
      functions: [Weather.self, Reports.self, Later.self, Syncing.self, Limited.self], triggers: [Counting.readings], crons: weatherCrons,
      workpools: [Syncing.pool], tokens: Names(), adminKey: "admin", environment: ["WEATHER_API_KEY": "secret"],
      fetch: { services.reply($0) })
  }

  private func expect(_ message: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void) async {
    let error = await #expect(throws: MartletError.self, sourceLocation: sourceLocation) { try await body() }
    #expect(error?.message == message, sourceLocation: sourceLocation)
  }

  @Test("Reading and writing")
  func data() async throws {
    let admin = try await server.client(token: "admin")
    let one = try await admin.run(Weather.add("n", "A1", "Harbour"))
    #expect(try await admin.run(Weather.add("n", "A1", "Old harbour")) == one, "an upsert")
    let two = try await admin.run(Weather.add("n", "B2", nil))
    #expect(try await admin.run(Weather.station(one))?.title == "Old harbour")
    #expect(try await admin.run(Reports.untitled()).map(\.id) == [two])
    #expect(try await admin.run(Weather.active(50)).map(\.id) == [two, one])
    for rain in [1.0, 2, 3] {
      try await admin.run(Weather.measure(one, rain))
      await server.advance(by: .seconds(60))
    }
    #expect(try await admin.run(Reports.totals(one, 1)) == ["count": 3, "rain": 6])
    #expect(try await admin.run(Reports.wettest(one, 2)).map(\.rain) == [2, 3])
    let page = try await admin.run(Reports.history(one, PaginationOptions(numItems: 2)))
    #expect(page.documents.map(\.rain) == [3, 2] && !page.isDone)

    // The trigger counts what is deleted; recounting changes what was made wrong by hand.
    try await admin.mutation("_system:delete", ["id": .string(page.documents[0].id.description)])
    #expect(try await admin.run(Weather.station(one))?.readings == 2)
    try await admin.mutation("_system:patch", ["id": .string(one.description), "fields": ["readings": 7]])
    for number in 0..<150 { try await admin.run(Weather.add("n", "C\(number)", nil)) }
    #expect(try await admin.run(Reports.recount(nil)) == 100)
    #expect(try await admin.run(Weather.station(one))?.readings == 2)

    try await admin.run(Weather.silence(two))
    #expect(try await admin.run(Weather.station(two))?.state == .silent)
    #expect(try await admin.run(Weather.import_("n", ["A1", "D1"])).first == one)
    // An old reading: the sweep takes it, and no other.
    let old = try await admin.run(Reports.history(one, PaginationOptions(numItems: 1))).documents[0].id
    try await admin.mutation("_system:patch", ["id": .string(old.description), "fields": ["at": 0]])
    #expect(try await admin.run(Weather.removeOld()) == 1)
    #expect(try await admin.run(Reports.totals(one, 1))["count"] == 1)
  }

  @Test("Who calls, clients, and what they show before the server has answered")
  func clients() async throws {
    let admin = try await server.client(token: "admin")
    let station = try await admin.run(Weather.add("n", "A1", nil))
    let ada = try await server.client(token: "ada")
    await expect("Sign in first") { _ = try await server.client().run(Reports.mine()) }
    try await ada.run(Reports.follow(station))
    #expect(try await ada.run(Reports.mine()).map(\.code) == ["A1"])
    #expect(try await server.client(token: "bob").run(Reports.mine()).isEmpty)

    let list = StationList()
    let showing = Task { await list.show(ada) }
    var seen = ada.subscribe(Weather.station(station)).updates.makeAsyncIterator()
    #expect(try await seen.next()?.value?.readings == 0)
    await list.measure(ada, station, 1)
    #expect(try await seen.next()?.value?.readings == 1)
    await server.disconnectClients()
    async let measured: Void = measure(ada, station, 2)
    let expected = try await seen.next()
    #expect(try expected?.value?.readings == 2 && expected?.isOptimistic == true)
    await server.advance(by: .seconds(1))
    try await measured
    while let update = try await seen.next(), update.isOptimistic {}
    try await admin.mutation("_system:patch", ["id": .string(station.description), "fields": ["state": "retired"]])
    await list.measure(ada, station, 1)
    #expect(await list.problem == "This station is no longer in use")
    await expect("A1 is retired") { try await ada.run(Weather.measure(station, 1)) }
    showing.cancel()
    await showing.value
  }

  @Test("Jobs, timeouts, crons, queues and limits")
  func later() async throws {
    let admin = try await server.client(token: "admin")
    let station = try await admin.run(Weather.add("n", "A1", nil))
    let job = try await admin.run(Later.wake(station, 60))
    #expect(try await admin.run(Later.job(job)).hasPrefix("waits until "))
    await server.advance(by: .seconds(60))
    #expect(try await admin.run(Later.job(job)) == "done")
    #expect(try await admin.run(Weather.station(station))?.state == .silent)
    let other = try await admin.run(Later.wake(station, 60))
    try await admin.run(Later.cancelJob(other))
    #expect(try await admin.run(Later.job(other)) == "canceled")

    let slow = try await admin.run(Later.startTask("x"))
    let quick = try await admin.run(Later.startTask("x"))
    try await admin.run(Later.finishTask(quick))
    await server.advance(by: .seconds(30))
    let imports = try await admin.query("_system:documents", ["table": "imports"]).description
    #expect(imports.contains("it took more than 30 seconds") && imports.contains("timedOut") && imports.contains("done"))
    #expect(slow != quick)

    for _ in 0..<5 { try await admin.run(Limited.report("Z9", 2)) }
    let refused = await #expect(throws: MartletError.self) { try await admin.run(Limited.report("Z9", 2)) }
    #expect(refused?.data != nil)
    try await admin.run(Later.drainInbox())
    #expect(try await admin.run(Weather.active(10)).isEmpty, "what is younger than 30 seconds stays")
    await server.advance(by: .seconds(120))
    #expect(try await admin.run(Weather.active(10)).map(\.readings) == [5])
    try await admin.run(Later.watchRain(station, 4))
    services.set("api.example.com/stations/A1", 200, #"{"rain":4}"#)
    await server.advance(by: .seconds(86_400))
    #expect(services.asked.withLock { $0.contains("api.example.com/stations/A1") })
  }

  @Test("Other services: syncs that are retried, pools, long imports, fallbacks")
  func services() async throws {
    let admin = try await server.client(token: "admin")
    services.set("api.example.com/stations", 503)
    try await admin.run(Syncing.start())
    await server.advance(by: .seconds(30))
    services.set("api.example.com/stations", 200, #"{"stations":[{"code":"A1"},{"code":"B2","more":1}]}"#)
    try await admin.run(Syncing.start())
    await server.advance(by: .seconds(1))
    let logs = try await admin.query("_system:documents", ["table": "syncLogs"]).description
    #expect(logs.contains(#""status":"failed""#) && logs.contains("503") && logs.contains(#""items":2"#), "\(logs)")
    #expect(try await admin.run(Weather.active(10)).map(\.code) == ["B2", "A1"])

    services.set("api.example.com/stations/A1", 200, #"{"rain":1.5}"#)
    try await admin.run(Syncing.everyStation())
    await server.advance(by: .seconds(30))
    #expect(try await admin.run(Weather.active(10)).map(\.readings) == [1], "B2 isn't known there, and is silent from now on")

    let codes = Value.array((0..<100).map { .string("I\($0)") })
    services.set("api.example.com/codes?offset=0&limit=100", 200, codes.json)
    services.set("api.example.com/codes?offset=100&limit=100", 200, #"["J1"]"#)
    try await admin.run(Syncing.startImport("x"))
    await server.advance(by: .seconds(1))
    let imports = try await admin.query("_system:documents", ["table": "imports"]).description
    #expect(imports.contains(#""done":101"#) && imports.contains(#""state":"done""#))

    services.set("models.example.com/large", 429)
    services.set("models.example.com/small", 200, #"{"text":"rain"}"#)
    try await admin.run(Syncing.patient("A1"))
    await server.advance(by: .seconds(1))
    #expect(try await admin.query("_system:documents", ["table": "_retries"]).description.contains(#""result":"rain""#))
    for model in ["small", "tiny"] { services.set("models.example.com/\(model)", 429) }
    try await admin.run(Syncing.patient("A1"))
    await server.advance(by: .seconds(15))
    services.set("models.example.com/tiny", 200, #"{"text":"drizzle"}"#)
    await server.advance(by: .seconds(15))
    #expect(try await admin.query("_system:documents", ["table": "_retries"]).description.contains(#""result":"drizzle""#))
    #expect(!ForecastError.noSuchStation.isRetryable)
  }

  @Test("Without its key the app doesn't start, and says so")
  func environment() async throws {
    let failure = await #expect(throws: Failure.self) { _ = try await ServedApp(weather) }
    #expect(failure?.description.contains("WEATHER_API_KEY") == true)
  }
}
