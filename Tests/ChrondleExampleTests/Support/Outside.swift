import Martlet
import MartletTesting
import Synchronization
import TestServers

/// The services outside, as the game meets them: a language model, the pages of years, and an export of events.
///
/// Each is as a test has planned it, and fine when nothing more is planned.
final class Outside: Sendable {
  enum Mood: Sendable, CaseIterable {
    case fine, slow, busy, broken, malformed, empty, forbidden, unreachable, silent
  }

  /// What `busy` asks for with Retry-After.
  let retryAfterSeconds: Int
  static let key = "sk-or-v1-0123456789abcdef"

  private struct State {
    /// What the next requests meet, the first one first.
    var models: [Mood] = []
    var years: [Int: [Mood]] = [:]
    var export: [Mood] = []
    var met: Set<Mood> = []
    var requests: [Request] = []
    /// What every export has of each year's page.
    var exported: [NewEventText] = []
    var exportSlowness = Duration.zero
  }

  typealias NewEventText = (year: Int, event: String)

  private let state = Mutex(State())

  init(retryAfterSeconds: Int = 7) { self.retryAfterSeconds = retryAfterSeconds }

  var requests: [Request] { state.withLock { $0.requests } }
  /// The models that were asked, in order.
  var models: [String] { requests.compactMap { (try? Value(json: String(decoding: $0.body, as: UTF8.self)))?["model"]?.text } }
  var met: Set<Mood> { state.withLock { $0.met } }

  func plan(models moods: Mood...) { state.withLock { $0.models = moods } }
  func plan(models moods: [Mood]) { state.withLock { $0.models = moods } }
  func plan(year: Int, _ moods: Mood...) { state.withLock { $0.years[year] = moods } }
  func plan(export moods: Mood...) { state.withLock { $0.export = moods } }
  /// How long the export takes for each answer when it is fine.
  func plan(slowness: Duration) { state.withLock { $0.exportSlowness = slowness } }
  func export(_ events: [NewEventText]) { state.withLock { $0.exported = events } }

  @Sendable func answer(_ request: Request) -> MartletTestServer.FetchReply {
    state.withLock { state in
      state.requests.append(request)
      let (mood, good): (Mood, String)
      var slowness = Duration.seconds(5)
      if request.url == "http://models.test/chat/completions" {
        guard request.headers["authorization"] == "Bearer \(Self.key)" else { return .response(Response(status: 401)) }
        mood = state.models.isEmpty ? .fine : state.models.removeFirst()
        good = #"{"id":"gen-1","choices":[{"index":0,"message":{"role":"assistant","content":"It was a year."}}]}"#
      } else if let year = request.url.split(separator: "/").last.flatMap({ Int($0) }), request.url.hasPrefix("http://history.test/") {
        mood = state.years[year]?.isEmpty == false ? state.years[year]!.removeFirst() : .fine
        good = Self.page(of: year)
      } else if let (offset, limit) = Self.range(of: request.url) {
        mood = state.export.isEmpty ? .fine : state.export.removeFirst()
        let events = state.exported.dropFirst(offset).prefix(limit).map { ["year": .float64(Double($0.year)), "event": .string($0.event)] as Value }
        good = (["events": .array(events)] as Value).json
        if state.exportSlowness != .zero, mood == .fine { return .response(Response(status: 200, body: Array(good.utf8)), after: state.exportSlowness) }
        slowness = .seconds(10)
      } else {
        return .response(Response(status: 404, url: request.url))
      }
      state.met.insert(mood)
      return reply(mood, good, request, slowness)
    }
  }

  private func reply(_ mood: Mood, _ good: String, _ request: Request, _ slowness: Duration) -> MartletTestServer.FetchReply {
    func response(_ status: Int, _ body: String = "", _ headers: Headers = [:]) -> MartletTestServer.FetchReply {
      .response(Response(status: status, headers: headers, body: Array(body.utf8), url: request.url), after: .milliseconds(200))
    }
    return switch mood {
    case .fine: response(200, good)
    case .slow: .response(Response(status: 200, body: Array(good.utf8), url: request.url), after: slowness)
    case .busy: response(429, #"{"error":{"code":429,"message":"Rate limit exceeded"}}"#, ["retry-after": "\(retryAfterSeconds)"])
    case .broken: response(500, "out of order")
    case .malformed: response(200, "<html>Bad gateway")
    case .empty: response(200, #"{"choices":[{"message":{"content":""}}],"events":null}"#)
    // As careless as a service can be: it says the key that it refuses.
    case .forbidden: response(401, "no such key: \(request.headers["authorization"] ?? "none")")
    case .unreachable: .failure(.network("connection refused"), after: .milliseconds(10))
    case .silent: .silence
    }
  }

  /// Two events, and what isn't one.
  static func page(of year: Int) -> String {
    """
    <html><body><h2 id="Events">Events</h2><ul>
    <li><a href="/wiki/May_4">May 4</a> &ndash; Ship number \(year % 97) &amp; her crew are <b>lost</b> at sea.<sup>[12]</sup></li>
    <li class="x">December 30–31 – A bridge across river number \(year % 89) is opened.</li>
    <li>January 1 – This one names \(year).</li></ul>
    <h2 id="Births">Births</h2><ul><li>July 7 – Somebody famous is born here.</li></ul></body></html>
    """
  }

  private static func range(of url: String) -> (offset: Int, limit: Int)? {
    guard let match = url.wholeMatch(of: #/http:\/\/export\.test\/all\?offset=(\d+)&limit=(\d+)/#) else { return nil }
    return (Int(match.1)!, Int(match.2)!)
  }
}

extension Outside {
  /// The same on a real socket, under `/models`, `/history` and `/export`. What is slow takes part of a second there.
  @Sendable func answer(_ request: LoopbackServer.Received) -> LoopbackServer.Reply {
    let parts = request.path.split(separator: "/", maxSplits: 1)
    var asked = Request("http://\(parts[0]).test/\(parts.count > 1 ? parts[1] : "")", body: Array(request.body.utf8))
    asked.headers["authorization"] = request.header("authorization")
    switch answer(asked) {
    case .response(let response, let after):
      let headers = response.headers.map { "\($0.name): \($0.value)" }
      return .after(
        milliseconds: min(300, Int(after / .milliseconds(1))), .status("\(response.status) Status", response.text, headers))
    case .failure: return .bytesThenClose("")
    case .silence: return .hang("HTTP/1.1 200 OK\r\n")
    }
  }
}

extension Value {
  subscript(name: String) -> Value? {
    if case .object(let members) = self { members[name] } else { nil }
  }
  var text: String? { if case .string(let text) = self { text } else { nil } }
}
