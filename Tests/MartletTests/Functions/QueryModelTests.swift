import MartletTesting
import MartletValues
import TestSupport
import Testing

@testable import Martlet

@Suite("Index ranges")
struct QueryModelTests {
  struct Item {
    var id: String
    var category: String
    var rank: Int
    var weight: Double
    var tag: String?
    var birth: Int
  }

  /// Inserts, changes and deletes; gives what is there then.
  static func fill(_ server: EngineHarness, _ client: InProcessClient, _ random: inout TestRandom) -> [Item] {
    var items: [Item] = []
    for birth in 0..<120 {
      if random.oneIn(5), !items.isEmpty {
        let index = random.number(0..<items.count)
        if random.oneIn(2) {
          _ = client.ask(server, #"mutation items:remove {"id":\#(items[index].id)}"#)
          items.remove(at: index)
        } else {
          let rank = random.number(-3..<9)
          let tag = random.oneIn(3) ? nil : random.element(of: ["x", "xy", "y"])
          _ = client.ask(
            server, #"mutation items:update {"id":\#(items[index].id),"rank":\#(rank)\#(tag.map { #","tag":"\#($0)""# } ?? "")}"#)
          items[index].rank = rank
          items[index].tag = tag
        }
        continue
      }
      var item = Item(
        id: "", category: random.element(of: ["", "a", "ab", "b", "ß"]), rank: random.number(-3..<9),
        weight: Double(random.number(0..<20)) / 2, tag: random.oneIn(3) ? nil : random.element(of: ["x", "xy", "y"]), birth: birth)
      let tag = item.tag.map { #","tag":"\#($0)""# } ?? ""
      item.id = client.ask(
        server, #"mutation items:insert {"category":"\#(item.category)","rank":\#(item.rank),"weight":\#(item.weight)\#(tag)}"#)
      items.append(item)
    }
    return items
  }

  /// What `ItemFunctions.read` gives for these items, in the order of the index.
  static func read(_ items: [Item], _ how: String, _ limit: Int?) -> String {
    let ordered = how.hasSuffix("Desc") ? items.reversed() : items
    switch how {
    case "count": return "\(items.count)"
    case "sum": return Value.float64(items.reduce(0) { $0 + $1.weight }).json
    case "first", "firstDesc": return ordered.first?.id ?? "null"
    case "filtered": return "[" + ordered.filter { $0.weight >= 5 }.map(\.id).joined(separator: ",") + "]"
    case "filteredCount": return "\(ordered.count { $0.weight >= 5 })"
    default: return "[" + ordered.prefix(limit ?? .max).map(\.id).joined(separator: ",") + "]"
    }
  }

  static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test("Random ranges in every index answer as filtering and sorting would: bounds, orders, limits, counts, sums", arguments: 1...12)
  func ranges(seed: UInt64) throws {
    var random = TestRandom(seed: seed)
    let server = try EngineHarness.items(seed: seed)
    let client = server.connect()
    let items = Self.fill(server, client, &random)
    let hows = ["list", "listDesc", "count", "sum", "first", "firstDesc", "filtered", "filteredCount"]
    for _ in 0..<80 {
      let how = random.element(of: hows)
      let limit: Int? = random.oneIn(2) ? random.number(0..<6) : nil
      var arguments = [#""how":"\#(how)""#]
      if let limit { arguments.append(#""limit":\#(limit)"#) }
      var expected = items
      let function: String
      switch random.number(0..<4) {
      case 0:
        function = "ranked"
        if !random.oneIn(5) {
          let category = random.element(of: ["", "a", "ab", "b", "ß", "none"])
          arguments.append(#""category":"\#(category)""#)
          expected.removeAll { $0.category != category }
          let low = random.number(-4..<10)
          let high = random.number(-4..<10)
          switch random.number(0..<3) {
          case 0:
            arguments.append(#""gt":\#(low)"#)
            expected.removeAll { $0.rank <= low }
          case 1:
            arguments.append(#""gte":\#(low)"#)
            expected.removeAll { $0.rank < low }
          default: break
          }
          switch random.number(0..<3) {
          case 0:
            arguments.append(#""lt":\#(high)"#)
            expected.removeAll { $0.rank >= high }
          case 1:
            arguments.append(#""lte":\#(high)"#)
            expected.removeAll { $0.rank > high }
          default: break
          }
        }
        expected.sort {
          $0.category != $1.category
            ? Self.bytes($0.category).lexicographicallyPrecedes(Self.bytes($1.category)) : ($0.rank, $0.birth) < ($1.rank, $1.birth)
        }
      case 1:
        function = "tagged"
        let tag = random.oneIn(4) ? nil : random.element(of: ["x", "xy", "y", "z"])
        if let tag { arguments.append(#""tag":"\#(tag)""#) }
        expected.removeAll { $0.tag != tag }
        if random.oneIn(2) {
          arguments.append(#""gt":3"#)
          expected.removeAll { $0.weight <= 3 }
        }
        if random.oneIn(2) {
          arguments.append(#""lte":7"#)
          expected.removeAll { $0.weight > 7 }
        }
        expected.sort { ($0.weight, $0.birth) < ($1.weight, $1.birth) }
      case 2:
        function = "weighed"
        let low = Double(random.number(-1..<11))
        let high = Double(random.number(-1..<11))
        if random.oneIn(2) {
          arguments.append(#""gte":\#(low)"#)
          expected.removeAll { $0.weight < low }
        }
        if random.oneIn(2) {
          arguments.append(#""lt":\#(high)"#)
          expected.removeAll { $0.weight >= high }
        }
        expected.sort { ($0.weight, $0.birth) < ($1.weight, $1.birth) }
      default:
        function = "bare"
        expected.sort { $0.birth < $1.birth }
      }
      let call = "query items:\(function) {\(arguments.joined(separator: ","))}"
      #expect(client.ask(server, call) == Self.read(expected, how, limit), "\(call)")
    }
    // Once more with indexes that were built from the stored documents.
    try server.crash()
    try again(server, items)
  }

  private func again(_ server: EngineHarness, _ items: [Item]) throws {
    let client = server.connect()
    let ordered = items.sorted { $0.birth < $1.birth }
    let byWeight = items.sorted { ($0.weight, $0.birth) < ($1.weight, $1.birth) }
    #expect(client.ask(server, #"query items:bare {"how":"listDesc"}"#) == Self.read(ordered, "listDesc", nil))
    #expect(client.ask(server, #"query items:weighed {"how":"list"}"#) == Self.read(byWeight, "list", nil))
    #expect(
      client.ask(server, #"query items:weighed {"how":"sum","gte":2,"lt":7}"#)
        == Self.read(byWeight.filter { $0.weight >= 2 && $0.weight < 7 }, "sum", nil))
  }

  @Test("unique gives the one document, null where there is none, and an error where there are two")
  func unique() throws {
    let server = try EngineHarness.items()
    let client = server.connect()
    let ids = [("one", 1), ("two", 2), ("two", 3)].map { tag, weight in
      client.ask(server, #"mutation items:insert {"category":"a","rank":1,"weight":\#(weight),"tag":"\#(tag)"}"#)
        .trimmingPrefix("\"").prefix { $0 != "\"" }
    }
    #expect(client.ask(server, #"query items:uniqueTag {"tag":"one"}"#) == "1")
    #expect(client.ask(server, #"query items:uniqueTag {"tag":"none"}"#) == "null")
    #expect(
      client.ask(server, #"query items:uniqueTag {"tag":"two"}"#)
        == "function_failed: unique() found more than one document in table items: \(ids[1]), \(ids[2])")
  }

  @Test("A range that the index can't answer is an error that says which field was due")
  func misranged() throws {
    let server = try EngineHarness.items()
    let client = server.connect()
    let problems = (0..<6).map { client.ask(server, "query items:misranged {\"how\":\($0)}") }
    #expect(problems.allSatisfy { $0.hasPrefix("function_failed: withIndex(items.by_category_rank): ") })
    #expect(problems[0].contains("field \"category\" is due"))
    #expect(problems[2].contains("has a lower bound already"))
    #expect(problems[3].contains("must come before the bounds"))
    #expect(problems[4].contains("every field of the index has its equality already"))
    #expect(client.ask(server, #"query items:bare {"how":"list","limit":-1}"#).contains("can't be negative"))
  }

  @Test("A range of a value that no document can hold is an error, not the end of the server")
  func unstorable() throws {
    let server = try EngineHarness.items()
    let client = server.connect()
    #expect(client.ask(server, #"query items:byExtra {"levels":10}"#) == "0")
    #expect(client.ask(server, #"query items:byExtra {"levels":100}"#).contains("no document can hold this value"))
  }

  @Test("An index orders values of all types by the total order: missing, null, numbers, booleans, strings, arrays, objects")
  func totalOrder() throws {
    let server = try EngineHarness.items()
    let client = server.connect()
    let ascending = [
      "null", #"{"$integer":"//////////8="}"#, #"{"$integer":"BQAAAAAAAAA="}"#, #"{"$float":"AAAAAAAA8P8="}"#, "-1.5",
      #"{"$float":"AAAAAAAAAIA="}"#, "0", "7", #"{"$float":"AAAAAAAA8H8="}"#, "false", "true", #""""#, #""a""#, #""ab""#, #""b""#,
      #"{"$bytes":""}"#, #"{"$bytes":"AAE="}"#, "[]", "[1]", "[1,2]", "[2]", "{}", #"{"a":1}"#, #"{"a":2}"#, #"{"b":0}"#,
    ]
    var shuffled = Array(ascending.dropFirst())
    var random = TestRandom(seed: 3)
    shuffled.shuffle(using: &random)
    for json in shuffled + [nil] {
      let extra = json.map { ",\"extra\":\($0)" } ?? ""
      let answer = client.ask(server, "mutation items:insert {\"category\":\"a\",\"rank\":1,\"weight\":1\(extra)}")
      #expect(answer.hasPrefix("\""), "\(answer)")
    }
    let expected = ["\"missing\""] + ascending.dropFirst()
    #expect(client.ask(server, "query items:extras") == "[" + expected.joined(separator: ",") + "]")
  }

  @Test("_creationTime is distinct and grows, within one mutation and while the clock stands still")
  func creationTimes() throws {
    let server = try EngineHarness.items()
    let client = server.connect()
    for _ in 0..<5 { _ = client.ask(server, #"mutation items:writeMany {"count":50,"bytes":1}"#) }
    var times: [Double] = []
    guard case .object(let page) = try Value(json: client.ask(server, #"query _system:documents {"table":"items","limit":1000}"#)),
      case .array(let documents)? = page["page"]
    else {
      Issue.record("no page")
      return
    }
    for case .object(let document) in documents {
      if case .float64(let time)? = document["_creationTime"] { times.append(time) }
    }
    #expect(times.count == 250)
    #expect(zip(times, times.dropFirst()).allSatisfy(<))
  }

  @Test(
    "Pages of every index, in both orders, hold each document once",
    arguments: ["by_id", "by_creation_time", "by_category_rank", "by_tag"], ["asc", "desc"])
  func pages(index: String, order: String) throws {
    var random = TestRandom(seed: 5)
    let server = try EngineHarness.items()
    let client = server.connect()
    let items = Self.fill(server, client, &random)
    var found: [String] = []
    var cursor = ""
    for _ in 0..<100 {
      let call = #"query _system:documents {"table":"items","index":"\#(index)","order":"\#(order)","limit":7\#(cursor)}"#
      guard case .object(let page) = try Value(json: client.ask(server, call)), case .array(let documents)? = page["page"] else { break }
      for case .object(let document) in documents { found.append(document["_id"]!.json) }
      if page["isDone"] == .boolean(true) { break }
      cursor = #","cursor":\#(page["continueCursor"]!.json)"#
    }
    #expect(found.count == items.count)
    #expect(Set(found) == Set(items.map(\.id)))
  }
}
