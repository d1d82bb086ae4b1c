import MartletClient
import MartletCommands

// The examples of docs/from-convex.md: weather stations, whose readings come from another service.

struct Stations: Table {
  static let name = "stations"

  let network = Field(.string)
  let code = Field(.string)
  let title = Field(.optional(.string))
  let state = Field(.enumeration(StationState.self))
  let tags = Field(.array(.string), default: [])
  let place = Field(.optional(Place.validator))
  let readings = Field(.wholeNumber, default: 0)
  let raw = Field(.optional(.any))
  let updatedAt = Field(.double)

  let byCode = Index("by_code", \Stations.network, \Stations.code, unique: true)
  let byState = Index("by_state", \Stations.state)
  let byTitle = Index("by_title", \Stations.title)
}

enum StationState: String, CaseIterable, Sendable {
  case active, silent, retired
}

struct Place: Sendable {
  var latitude: Double
  var longitude: Double

  static let validator = Validator<Place>.object(
    Property("latitude", \Place.latitude, .double), Property("longitude", \Place.longitude, .double)
  ) {
    Place(latitude: $0, longitude: $1)
  }
}

struct Readings: Table {
  static let name = "readings"

  let station = Field(.id(Stations.self))
  let at = Field(.double)
  let rain = Field(.double)

  let byStation = Index("by_station", \Readings.station, \Readings.at, summing: \Readings.rain)
  let byTime = Index("by_time", \Readings.at)
}

struct SyncLogs: Table {
  static let name = "syncLogs"

  let status = Field(.enumeration(SyncStatus.self))
  let startedAt = Field(.double)
  let endedAt = Field(.optional(.double))
  let items = Field(.optional(.wholeNumber))
  let error = Field(.optional(.string))

  let byStatus = Index("by_status", \SyncLogs.status)
}

enum SyncStatus: String, CaseIterable, Sendable {
  case running, completed, failed
}

struct Imports: Table {
  static let name = "imports"

  let source = Field(.string)
  let state = Field(.enumeration(ImportState.self))
  let done = Field(.wholeNumber)
  let startedAt = Field(.double)
  let error = Field(.optional(.string))
}

enum ImportState: String, CaseIterable, Sendable {
  case running, done, cancelled, timedOut
}

struct Inbox: Table {
  static let name = "inbox"

  let code = Field(.string)
  let rain = Field(.double)
  let receivedAt = Field(.double)

  let byTime = Index("by_time", \Inbox.receivedAt)
}

struct Subscribers: Table {
  static let name = "subscribers"

  let email = Field(.string)
  let station = Field(.id(Stations.self))

  let byEmail = Index("by_email", \Subscribers.email)
}

// MARK: - Functions

enum Weather: FunctionModule {
  static let path = "weather"
  static let functions: [any ServerFunction] = [station, active, add, measure, silence, import_, removeOld]

  static let station = Query("station", Arg("id", .id(Stations.self))) { ctx, id in
    try ctx.db.find(id)
  }

  static let active = Query("active", Arg("limit", .wholeNumber, default: 50)) { ctx, limit in
    try ctx.db.query(Stations.self).withIndex(\.byState) { $0.eq(\.state, .active) }.order(.descending).take(limit)
  }

  static let silence = Mutation("silence", Arg("id", .id(Stations.self)), visibility: .internal) { ctx, id in
    try ctx.db.patch(id) { $0.state = .silent }
  }
  static let add = Mutation(
    "add", Arg("network", .string), Arg("code", .string), Arg("title", .optional(.string))
  ) { ctx, network, code, title in
    let existing = try ctx.db.query(Stations.self).withIndex(\.byCode) { $0.eq(\.network, network).eq(\.code, code) }.unique()
    if let existing {
      try ctx.db.patch(existing.id) { $0.title = title }
      return existing.id
    }
    return try ctx.db.insert(Stations.self) {
      $0.network = network
      $0.code = code
      $0.title = title
      $0.state = .active
      $0.updatedAt = ctx.now
    }
  }
  static let measure = Mutation("measure", Arg("station", .id(Stations.self)), Arg("rain", .double)) { ctx, id, rain in
    guard let station = try ctx.db.find(id) else { throw ApplicationError("There is no such station") }
    guard station.state != .retired else {
      throw ApplicationError("\(station.code) is retired", data: ["code": "retired", "since": .float64(station.updatedAt)])
    }
    try ctx.db.patch(id) {
      $0.readings += 1
      $0.updatedAt = ctx.now
    }
    return try ctx.db.insert(Readings.self) {
      $0.station = id
      $0.at = ctx.now
      $0.rain = rain
    }
  }
  static let import_ = Mutation("import", Arg("network", .string), Arg("codes", .array(.string)), visibility: .internal) { ctx, network, codes in
    try codes.map { try ctx.run(add(network, $0, nil)) }
  }
  static let removeOld: Mutation<Int> = Mutation("removeOld", visibility: .internal) { ctx -> Int in
    let old = try ctx.db.query(Readings.self).withIndex(\.byTime) { $0.lt(\.at, ctx.now - 90 * 86_400_000) }.take(500)
    for reading in old { try ctx.db.delete(reading.id) }
    if old.count == 500 { try ctx.scheduler.run(after: .zero, removeOld()) }
    return old.count
  }
}

enum Reports: FunctionModule {
  static let path = "reports"
  static let functions: [any ServerFunction] = [untitled, history, totals, recount, wettest, mine, follow]

  static let untitled = Query("untitled") { ctx in
    try ctx.db.query(Stations.self).withIndex(\.byTitle) { $0.eq(\.title, nil) }.take(20)
  }
  static let history = Query(
    "history", Arg("station", .id(Stations.self)), Arg("paginationOpts", .pagination)
  ) { ctx, station, page in
    try ctx.db.query(Readings.self).withIndex(\.byStation) { $0.eq(\.station, station) }.order(.descending).paginate(page)
  }
  static let totals = Query("totals", Arg("station", .id(Stations.self)), Arg("days", .double, default: 30)) { ctx, station, days in
    let since = ctx.now - days * 86_400_000
    let recent = try ctx.db.query(Readings.self).withIndex(\.byStation) { $0.eq(\.station, station).gte(\.at, since) }
    return ["count": Double(try recent.count()), "rain": try recent.sum(\.rain)]
  }
  static let wettest = Query("wettest", Arg("station", .id(Stations.self)), Arg("least", .double)) { ctx, station, least in
    try ctx.db.query(Readings.self)
      .withIndex(\.byStation) { $0.eq(\.station, station) }
      .filter { $0.rain >= least }
      .take(10)
  }
  static let recount: Mutation<Int, String?> = Mutation(
    "recount", Arg("cursor", .optional(.string)), visibility: .internal
  ) { ctx, cursor -> Int in
    let page = try ctx.db.query(Stations.self).paginate(PaginationOptions(numItems: 100, cursor: cursor))
    for station in page.documents {
      let count = try ctx.db.query(Readings.self).withIndex(\.byStation) { $0.eq(\.station, station.id) }.count()
      if station.readings != count { try ctx.db.patch(station.id) { $0.readings = count } }
    }
    if !page.isDone { try ctx.scheduler.run(after: .seconds(1), recount(page.continueCursor)) }
    return page.documents.count
  }
  static let mine = Query("mine") { ctx -> [Document<Stations>] in
    guard let email = ctx.identity.email else { throw ApplicationError("Sign in first") }
    let followed = try ctx.db.query(Subscribers.self).withIndex(\.byEmail) { $0.eq(\.email, email) }.take(100)
    return try followed.compactMap { try ctx.db.find($0.station) }
  }
  static let follow = Mutation("follow", Arg("station", .id(Stations.self))) { ctx, station in
    guard let email = ctx.identity.email else { throw ApplicationError("Sign in first") }
    try ctx.db.insert(Subscribers.self) {
      $0.email = email
      $0.station = station
    }
  }
}

/// Tokens that say who somebody is, and nothing that proves it: for a test.
struct Names: TokenVerifier {
  func verify(_ token: String) throws -> VerifiedToken {
    VerifiedToken(Identity(subject: token, issuer: "names", email: "\(token)@example.com"))
  }
}

// MARK: - Later

enum Later: FunctionModule {
  static let path = "later"
  static let functions: [any ServerFunction] = [
    wake, job, cancelJob, startTask, finishTask, checkTimeout, watchRain, receive, drainInbox, beat,
  ]

  static let wake = Mutation("wake", Arg("station", .id(Stations.self)), Arg("seconds", .double)) { ctx, station, seconds in
    try ctx.scheduler.run(after: .seconds(seconds), Weather.silence(station))
  }

  static let cancelJob = Mutation("cancelJob", Arg("job", .id(ScheduledFunctions.self))) { ctx, job in
    try ctx.scheduler.cancel(job)
  }

  static let job = Query("job", Arg("job", .id(ScheduledFunctions.self))) { ctx, job in
    guard let job = try ctx.db.find(job) else { return "not found" }
    switch job.state.kind {
    case .pending: return "waits until \(job.scheduledTime)"
    case .inProgress: return "runs"
    case .success: return "done"
    case .failed: return "failed: \(job.state.error ?? "")"
    case .canceled: return "canceled"
    }
  }
  static let startTask = Mutation("startTask", Arg("source", .string)) { ctx, source in
    let task = try ctx.db.insert(Imports.self) {
      $0.source = source
      $0.state = .running
      $0.done = 0
      $0.startedAt = ctx.now
    }
    try ctx.scheduler.run(after: .seconds(30), checkTimeout(task))
    return task
  }

  static let checkTimeout = Mutation("checkTimeout", Arg("task", .id(Imports.self)), visibility: .internal) { ctx, task in
    guard try ctx.db.find(task)?.state == .running else { return }
    try ctx.db.patch(task) {
      $0.state = .timedOut
      $0.error = "it took more than 30 seconds"
    }
  }
  static let finishTask = Mutation("finishTask", Arg("task", .id(Imports.self))) { ctx, task in
    try ctx.db.patch(task) { $0.state = .done }
  }

  static let watchRain = Mutation("watchRain", Arg("station", .id(Stations.self)), Arg("hour", .wholeNumber)) { ctx, station, hour in
    try ctx.crons.register("watch \(station)", .daily(hour: hour), Syncing.fetchStation(station))
  }
  static let receive = Mutation("receive", Arg("code", .string), Arg("rain", .double)) { ctx, code, rain in
    try ctx.db.insert(Inbox.self) {
      $0.code = code
      $0.rain = rain
      $0.receivedAt = ctx.now
    }
  }

  static let drainInbox = Mutation("drainInbox", visibility: .internal) { ctx in
    let due = try ctx.db.query(Inbox.self).withIndex(\.byTime) { $0.lt(\.receivedAt, ctx.now - 30_000) }.take(10)
    for item in due {
      let station = try ctx.run(Weather.add("inbox", item.code, nil))
      try ctx.run(Weather.measure(station, item.rain))
      try ctx.db.delete(item.id)
    }
  }
  static let beat = Mutation("beat", visibility: .internal) { ctx in ctx.log.info("still alive") }
}

let weatherCrons = [
  Cron("heartbeat", .interval(.seconds(10)), Later.beat()),
  Cron("inbox", .interval(.seconds(60)), Later.drainInbox()),
  Cron("sync", .hourly(minute: 15), Syncing.start()),
  Cron("old readings", .daily(hour: 3), Weather.removeOld()),
  Cron("recount", .weekly(on: .monday, hour: 9), Reports.recount(nil)),
  Cron("first of the month", .monthly(day: 1, hour: 0), Later.beat()),
  Cron("office hours", .cron("0 9-17 * * 1-5"), Later.beat()),
]

// MARK: - Other services

enum Syncing: FunctionModule {
  static let path = "sync"
  static let functions: [any ServerFunction] = [
    start, fetchAll, ended, fetchStation, stored, startImport, importBatch, storeBatch, forecast, patient, everyStation,
  ]

  static let start = Mutation("start", visibility: .internal) { ctx in
    let log = try ctx.db.insert(SyncLogs.self) {
      $0.status = .running
      $0.startedAt = ctx.now
    }
    try ctx.retrier.run(
      fetchAll(log), options: RetryOptions(initialBackoff: .milliseconds(500), maxFailures: 3), onComplete: ended)
    return log
  }

  struct Listing: Codable {
    struct Entry: Codable {
      var code: String
      var title: String?
    }

    var stations: [Entry]
  }

  static let fetchAll = Action("fetchAll", Arg("log", .id(SyncLogs.self)), visibility: .internal) { ctx, log in
    let key = try ctx.environment.require("WEATHER_API_KEY")
    let response = try await ctx.fetch("https://api.example.com/stations", headers: ["x-api-key": key], timeout: .seconds(10))
    return try response.requireSuccess().decode(as: Listing.self).stations.map(\.code)
  }

  static let ended = Mutation(
    "ended", Arg("run", .id(RetryRuns.self)), Arg("result", .retryResult), visibility: .internal
  ) { ctx, run, result in
    let log = try ctx.db.get(run).argument("log", .id(SyncLogs.self))
    switch result {
    case .success(let answer):
      let codes = try answer.decode(as: [String].self)
      try ctx.run(Weather.import_("example", codes))
      try ctx.db.patch(log) {
        $0.status = .completed
        $0.items = codes.count
      }
    case .failed(let error):
      try ctx.db.patch(log) {
        $0.status = .failed
        $0.error = error
      }
    case .canceled: try ctx.db.patch(log) { $0.status = .failed }
    }
    try ctx.db.patch(log) { $0.endedAt = ctx.now }
  }

  static let pool = Workpool("stations", maxParallelism: 5, retry: RetryOptions(maxFailures: 3))

  static let everyStation = Mutation("everyStation", visibility: .internal) { ctx in
    let active = try ctx.db.query(Stations.self).withIndex(\.byState) { $0.eq(\.state, .active) }.take(1_000)
    for (number, station) in active.enumerated() {
      try ctx.workpools.enqueue(pool, fetchStation(station.id), start: .after(.seconds(number / 5)), onComplete: stored)
    }
  }

  struct Measured: Codable {
    var rain: Double
  }

  static let fetchStation = Action("fetchStation", Arg("station", .id(Stations.self)), visibility: .internal) { ctx, id in
    guard let station = try await ctx.run(Weather.station(id)) else { return 0.0 }
    let response = try await ctx.fetch("https://api.example.com/stations/\(station.code)")
    return try response.requireSuccess().decode(as: Measured.self).rain
  }

  static let stored = Mutation(
    "stored", Arg("work", .id(WorkItems.self)), Arg("result", .workResult), visibility: .internal
  ) { ctx, work, result in
    let station = try ctx.db.get(work).argument("station", .id(Stations.self))
    switch result {
    case .success(let rain): try ctx.run(Weather.measure(station, rain.decode(as: Double.self)))
    case .failed, .canceled: try ctx.run(Weather.silence(station))
    }
  }

  static let startImport = Mutation("startImport", Arg("source", .string)) { ctx, source in
    let job = try ctx.db.insert(Imports.self) {
      $0.source = source
      $0.state = .running
      $0.done = 0
      $0.startedAt = ctx.now
    }
    try ctx.scheduler.run(after: .zero, importBatch(job, 0))
    return job
  }

  static let importBatch: Action<Null, ID<Imports>, Int> = Action(
    "importBatch", Arg("job", .id(Imports.self)), Arg("offset", .wholeNumber), visibility: .internal
  ) { ctx, job, offset -> Void in
    let response = try await ctx.fetch("https://api.example.com/codes?offset=\(offset)&limit=100")
    let codes = try response.requireSuccess().decode(as: [String].self)
    try await ctx.run(storeBatch(job, codes, offset + codes.count))
  }

  static let storeBatch = Mutation(
    "storeBatch", Arg("job", .id(Imports.self)), Arg("codes", .array(.string)), Arg("offset", .wholeNumber), visibility: .internal
  ) { ctx, job, codes, offset in
    guard try ctx.db.get(job).state == .running else { return }
    try ctx.run(Weather.import_("import", codes))
    try ctx.db.patch(job) {
      $0.done += codes.count
      if codes.count < 100 { $0.state = .done }
    }
    if codes.count == 100 { try ctx.scheduler.run(after: .zero, importBatch(job, offset)) }
  }

  struct Forecast: Codable {
    var text: String
  }

  static let forecast = Action("forecast", Arg("code", .string)) { ctx, code in
    for model in ["large", "small", "tiny"] {
      let response = try await ctx.fetch("https://models.example.com/\(model)", json: ["station": .string(code)])
      if response.status == 429 {
        ctx.log.warning("\(model) is busy")
        continue
      }
      return try response.requireSuccess().decode(as: Forecast.self).text
    }
    throw ForecastError.allBusy
  }
  static let patient = Mutation("patient", Arg("code", .string)) { ctx, code in
    try ctx.retrier.run(forecast(code), options: RetryOptions(initialBackoff: .seconds(1), base: 2, maxFailures: 2))
  }
}

enum ForecastError: RetryDecision {
  case allBusy, noSuchStation

  var isRetryable: Bool { self == .allBusy }
  var retryAfter: Duration? { self == .allBusy ? .seconds(20) : nil }
}

enum Counting {
  static let readings = Trigger.onChange(of: Readings.self) { ctx, change in
    if let old = change.old, change.new == nil, try ctx.db.find(old.station) != nil {
      try ctx.db.patch(old.station) { $0.readings -= 1 }
    }
  }
}

enum Limited: FunctionModule {
  static let path = "limited"
  static let functions: [any ServerFunction] = [report]

  static let reports = RateLimit("reports", .tokenBucket(5, per: .seconds(60), capacity: 5))

  static let report = Mutation("report", Arg("code", .string), Arg("rain", .double)) { ctx, code, rain in
    try ctx.rateLimiter.require(reports, key: code)
    try ctx.run(Later.receive(code, rain))
  }
}

let weather = MartletApp(
  schema: [Stations.self, Readings.self, SyncLogs.self, Imports.self, Inbox.self, Subscribers.self],
  functions: [Weather.self, Reports.self, Later.self, Syncing.self, Limited.self],
  triggers: [Counting.readings], crons: weatherCrons, workpools: [Syncing.pool], tokens: Names(),
  requiredEnvironment: ["WEATHER_API_KEY"], name: "weather")

// MARK: - Clients

@MainActor final class StationList {
  private(set) var stations: [Document<Stations>]?
  private(set) var problem: String?

  func show(_ client: MartletClient) async {
    do {
      for try await stations in client.subscribe(Weather.active(20)) { self.stations = stations }
    } catch {
      problem = error.message
    }
  }

  func measure(_ client: MartletClient, _ station: ID<Stations>, _ rain: Double) async {
    do {
      try await client.run(Weather.measure(station, rain))
    } catch let error as MartletError where error.data?["code"] == "retired" {
      problem = "This station is no longer in use"
    } catch {
      problem = "The reading could not be stored"
    }
  }
}

func measure(_ client: MartletClient, _ station: ID<Stations>, _ rain: Double) async throws {
  try await client.run(Weather.measure(station, rain)) { local in
    try local.update(Weather.station(station)) { try $0?.patch { $0.readings += 1 } }
  }
}
