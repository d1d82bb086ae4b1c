import Logging
import MartletTesting
import MartletValues
import Synchronization

@testable import Martlet

/// Actions that reach outside: other servers, the environment, the log.
enum Outside: FunctionModule {
  static let path = "outside"
  static let functions: [any ServerFunction] = [
    fetch, charge, decide, variable, leak, leakBroken, leakByMutation, say, tell, endless, visit, visitOne, visitTwo, visitAll, chargeUntilDone,
  ]

  struct Charge: Codable { var id: String; var amount: Double }

  static let fetch = Action("fetch", Arg("url", .string), Arg("timeout", .optional(.double))) { ctx, url, timeout in
    do {
      let response = try await ctx.fetch(url, timeout: timeout.map { .milliseconds($0) })
      return "\(response.status) \(response.text)"
    } catch let error as FetchError {
      return "\(error)"
    }
  }

  static let charge = Action("charge", Arg("amount", .double)) { ctx, amount in
    let key = try ctx.environment.require("PAYMENTS_KEY")
    let response = try await ctx.fetch(
      "https://pay.test/charges?key=1", headers: ["authorization": "Bearer \(key)"], json: ["amount": .float64(amount), "currency": "eur"])
    return try response.requireSuccess().decode(as: Charge.self).id
  }

  /// Whether what went wrong may go well later.
  static let decide = Action("decide", Arg("url", .string)) { ctx, url in
    do {
      try await ctx.fetch(url).requireSuccess()
      return "fine"
    } catch let error as any RetryDecision {
      return "\(error.isRetryable) \(error.retryAfter.map { "\($0)" } ?? "-")"
    }
  }

  static let variable = Action("variable", Arg("name", .string)) { ctx, name in ctx.environment[name] ?? "none" }

  static let leak = Action("leak") { ctx in
    let key = try ctx.environment.require("PAYMENTS_KEY")
    ctx.log.info("the key is \(key)")
    throw ApplicationError("refused for \(key)", data: ["keys": [.string("<\(key)>"), 1], "\(key)": true])
  }

  struct Broken: Error, CustomStringConvertible { var description: String }

  static let leakBroken = Action("leakBroken") { ctx in
    throw Broken(description: "no access by \(try ctx.environment.require("PAYMENTS_KEY"))")
  }

  static let leakByMutation = Action("leakByMutation") { ctx in
    try await ctx.run(say(try ctx.environment.require("PAYMENTS_KEY")))
  }

  static let say = Mutation("say", Arg("text", .string)) { ctx, text -> Void in
    ctx.log.warning("said \(text)")
    throw ApplicationError("not to say: \(text)")
  }

  static let tell = Action("tell", Arg("lines", .wholeNumber)) { ctx, lines in
    for number in 0..<lines { ctx.log.debug("line \(number)") }
    _ = try await ctx.fetch("https://end.test/")
  }

  static let endless = Action("endless", limits: { $0.actionMilliseconds = 2_000 }) { ctx in
    ctx.log.info("begun")
    _ = try await ctx.fetch("https://silent.test/")
  }

  static let visit = Action("visit", Arg("url", .string)) { ctx, url in try await ctx.fetch(url).status }
  static let visitOne = Action("visitOne", Arg("url", .string), pool: "one") { ctx, url in try await ctx.fetch(url).status }
  static let visitTwo = Action("visitTwo", Arg("url", .string), pool: "two") { ctx, url in try await ctx.fetch(url).status }

  /// Has so many visits scheduled, at once or later: `visitOne 0 https://…`
  static let visitAll = Mutation("visitAll", Arg("visits", .array(.string))) { ctx, visits -> Void in
    for visit in visits {
      let words = visit.split(separator: " ").map(String.init)
      let call = FunctionCall<Int>(kind: .action, name: "outside:\(words[0])", arguments: ["url": .string(words[2])])
      try ctx.scheduler.run(after: .milliseconds(Int(words[1])!), call)
    }
  }
}

extension Outside {
  static let chargeUntilDone = Mutation("chargeUntilDone", Arg("amount", .double)) { ctx, amount in try ctx.retrier.run(charge(amount)) }
}

/// What a server wrote into its log.
final class RecordedLog: Sendable {
  private let lines = Mutex<[String]>([])
  var text: String { lines.withLock { $0.joined(separator: "\n") } }

  var logger: Logger {
    var logger = Logger(label: "test") { _ in Handler(log: self) }
    logger.logLevel = .debug
    return logger
  }

  private struct Handler: LogHandler {
    let log: RecordedLog
    var logLevel = Logger.Level.debug
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let members = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
      log.lines.withLock { $0.append("\(event.level) \(event.message)\(members)") }
    }
  }
}

extension EngineHarness {
  static let key = "sk_live_0123456789"

  static func outside(
    seed: UInt64 = 1, pools: [String: Int] = ["one": 1, "two": 2], configuration: EngineConfiguration = EngineConfiguration(),
    log: RecordedLog? = nil, _ plan: @escaping @Sendable (Request) -> SimulatedFetcher.Reply = { _ in .response(Response(status: 200)) }
  ) throws -> EngineHarness {
    try EngineHarness(
      tables: [Counters.self], modules: [CounterFunctions.self, Outside.self, Jobs.self], pools: pools, seed: seed, configuration: configuration,
      fetcher: SimulatedFetcher(plan), variables: ["PAYMENTS_KEY": key, "MODE": "live", "EMPTY": ""], logger: log?.logger)
  }
}
