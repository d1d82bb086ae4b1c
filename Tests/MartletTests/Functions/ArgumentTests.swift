import MartletTesting
import MartletWire
import TestSupport
import Testing

@testable import Martlet

@Suite("Arguments and answers")
struct ArgumentTests {
  /// A server with a counter and an item, and their ids as JSON.
  static func server() throws -> (EngineHarness, InProcessClient, counter: String, item: String) {
    let server = try EngineHarness.items()
    let client = server.connect()
    let counter = client.ask(server, #"mutation counters:set {"name":"a","value":1}"#)
    let item = client.ask(server, #"mutation items:insert {"category":"a","rank":1,"weight":1}"#)
    return (server, client, counter, item)
  }

  @Test("An id of another table is refused with the names of both, at any depth and for every verb")
  func otherTable() throws {
    let (server, client, counter, item) = try Self.server()
    #expect(client.ask(server, "query items:owned {\"owner\":\(counter)}") == "\"a\"")
    let problem = "invalid_arguments: args.owner: expected id of counters, found id of items"
    #expect(client.ask(server, "query items:owned {\"owner\":\(item)}") == problem)
    #expect(client.ask(server, "mutation items:typed {\"owner\":\(item)}") == problem)
    #expect(
      client.ask(server, "query items:ownedDeep {\"owners\":[\(counter),null,\(item)]}")
        == "invalid_arguments: args.owners[2]: expected id of counters, found id of items")
    client.send("subscribe s items:owned {\"owner\":\(item)}")
    server.settle()
    #expect(client.take().first { $0.kind == .failed }?.code == "invalid_arguments")
  }

  @Test("What is no id at all is said to be none of the table's")
  func noID() throws {
    let (server, client, _, _) = try Self.server()
    func problem(_ json: String) -> String { client.ask(server, "query items:owned {\"owner\":\(json)}") }
    #expect(problem("5") == "invalid_arguments: args.owner: expected id of counters, found number")
    #expect(problem("null") == "invalid_arguments: args.owner: expected id of counters, found null")
    #expect(problem("\"nobody\"") == "invalid_arguments: args.owner: expected id of counters, found string that is none")
    #expect(client.ask(server, "query items:owned") == "invalid_arguments: args.owner: expected id of counters, found nothing")
    let foreign = DocumentID(tableNumber: 77_777, high: 1, low: 2)
    #expect(problem("\"\(foreign)\"") == "invalid_arguments: args.owner: expected id of counters, found id of no table here")
  }

  @Test("Ids are told by the numbers of this server's own tables, whatever another server calls them")
  func twoServers() throws {
    let (server, client, counter, _) = try Self.server()
    let other = try EngineHarness(tables: [Items.self, Counters.self], modules: [CounterFunctions.self, ItemFunctions.self], seed: 2)
    let stranger = other.connect()
    let item = stranger.ask(other, #"mutation items:insert {"category":"a","rank":1,"weight":1}"#)
    // There the items have the number that the counters have here.
    #expect(stranger.ask(other, "query items:owned {\"owner\":\(item)}").hasSuffix("found id of items"))
    #expect(client.ask(server, "query items:owned {\"owner\":\(item)}") == "null")
    #expect(client.ask(server, "query items:owned {\"owner\":\(counter)}") == "\"a\"")
  }

  @Test("A number that is not whole, or too large to be told from its neighbours, is refused where a whole one is due")
  func wholeNumbers() throws {
    let (server, client, _, _) = try Self.server()
    func problem(_ json: String) -> String { client.ask(server, "query items:ranked {\"how\":\"count\",\"limit\":\(json)}") }
    #expect(problem("1.5") == "invalid_arguments: args.limit: expected whole number, found 1.5")
    #expect(problem("1e300") == "invalid_arguments: args.limit: expected whole number within ±2^53, found 1e+300")
    #expect(problem(#"{"$float":"AAAAAAAA8H8="}"#).hasPrefix("invalid_arguments: args.limit: expected whole number"))
    #expect(problem(#""1""#) == "invalid_arguments: args.limit: expected number, found string")
    #expect(problem("9007199254740992") == "1")
  }

  @Test("Missing, unknown, repeated and ill-formed arguments each say what is wrong, and nothing runs")
  func illFormed() throws {
    let (server, client, _, _) = try Self.server()
    #expect(
      client.ask(server, "mutation counters:add {\"name\":\"a\"}") == "invalid_arguments: args.amount: expected number, found nothing")
    #expect(
      client.ask(server, #"mutation counters:add {"name":"a","amount":1,"more":2}"#)
        == "invalid_arguments: args.more: expected no argument of this name, found one")
    #expect(
      client.ask(server, #"mutation counters:add {"name":"a","amount":1,"name":"b"}"#)
        == "invalid_arguments: args.name: expected one value, found two")
    #expect(client.ask(server, #"mutation counters:add {"name":"a","amount":1"#).hasPrefix("bad_request: the arguments are not valid JSON"))
    #expect(client.ask(server, "mutation counters:add [1]").hasPrefix("bad_request"))
    #expect(client.ask(server, "mutation counters:total").hasPrefix("wrong_kind"))
    #expect(client.ask(server, "query counters:totl").contains("did you mean \"counters:total\"?"))
    #expect(client.ask(server, "query counters:total") == "1")
  }

  @Test("An argument's name may be written with escapes")
  func escapedNames() throws {
    let (server, client, _, _) = try Self.server()
    let long = String(repeating: "x", count: 200)
    #expect(client.ask(server, #"query counters:value {"\u006eame":"a"}"#) == "1")
    #expect(client.ask(server, #"mutation counters:add {"\u0061mount":2,"n\u0061me":"a"}"#) == "3")
    #expect(
      client.ask(server, "query counters:value {\"\\u006e\(long)\":1,\"name\":\"a\"}").contains("args.n\(long): expected no argument"))
  }

  @Test("Whether arguments come in order makes no difference to their values, nor to what is said of wrong ones", arguments: 0..<8 as Range<UInt64>)
  func inOrderOrNot(seed: UInt64) {
    let (name, count, weight) = (Arg("name", .string), Arg("count", .wholeNumber), Arg("weight", .optional(.double)))
    /// `listed`: by the way that is taken for arguments in any order.
    func outcome(_ json: [UInt8], listed: Bool) -> (text: String, isError: Bool) {
      json.withUnsafeBytes { json in
        do {
          var call = try Arguments(json)
          if listed { try call.list() }
          let values = (try call.take(name), try call.take(count), try call.take(weight))
          try call.finish()
          return ("\(values)", false)
        } catch { return ("\(error)", true) }
      }
    }
    var random = TestRandom(seed: seed)
    var values = 0
    var errors: Set<String> = []
    for _ in 0..<3_000 {
      var members = [("\"name\"", #""a""#), ("\"count\"", "7"), ("\"weight\"", "1.5")]
      if random.oneIn(4) { members.removeLast() }
      if random.oneIn(4) { members.shuffle(using: &random) }
      if random.oneIn(4) { members[random.number(0..<members.count)].0 = random.element(of: ["\"name\"", "\"count\"", #""n\u0061me""#, "\"names\"", "name", "\"\""]) }
      if random.oneIn(4) {
        members[random.number(0..<members.count)].1 = random.element(
          of: ["null", "1", "01", "1e400", "1.25", #""a\nb""#, #""\ud800""#, "[1,{\"b\":[]}]", "[1,", "{\"a\":1}", "tru", "", "\"a", "-"])
      }
      if random.oneIn(6) { members.append(random.element(of: members)) }
      let space = random.oneIn(3) ? " " : ""
      var json = Array("\(space){\(space)\(members.map { "\($0)\(space):\(space)\($1)" }.joined(separator: "\(space),"))\(space)}\(space)".utf8)
      if random.oneIn(8) { json.removeLast(random.number(1..<json.count)) }
      if random.oneIn(12) { json += Array(random.element(of: ["}", ",", "x", "{}"]).utf8) }
      let (inOrder, listed) = (outcome(json, listed: false), outcome(json, listed: true))
      #expect(inOrder.text == listed.text, "\(String(decoding: json, as: UTF8.self))")
      if inOrder.isError { errors.insert(inOrder.text) } else { values += 1 }
    }
    #expect(values > 500 && errors.count > 30)
  }

  /// What a call with the arguments `a` and `b` is told, by the way for arguments in order, or by that for any order.
  private static func outcome<A>(_ json: String, _ a: Validator<A>, listed: Bool) -> String {
    var json = json
    return json.withUTF8 { json in
      do {
        var call = try Arguments(UnsafeRawBufferPointer(json))
        if listed { try call.list() }
        let values = (try call.take(Arg("a", a)), try call.take(Arg("b", .double)))
        try call.finish()
        return "\(values)"
      } catch { return "\(error)" }
    }
  }

  @Test("Values may nest as deep in order as out of order")
  func depth() {
    for depth in 58...68 {
      for leaf in ["1", #"{"$integer":"AQAAAAAAAAA="}"#, "{}", #"{"b":1}"#] {
        let value = String(repeating: "[", count: depth) + leaf + String(repeating: "]", count: depth)
        let json = #"{"a":\#(value),"b":1}"#
        let listed = Self.outcome(json, .any, listed: true)
        #expect(Self.outcome(json, .any, listed: false) == listed)
        #expect(listed.contains("nested") == (depth + (leaf == "1" ? 1 : 2) > 64), "\(depth) \(leaf): \(listed.prefix(80))")
      }
    }
  }

  @Test("Arguments of any type are the same in order and out of order, with and without white space")
  func typesInOrder() {
    func check<A>(_ validator: Validator<A>) {
      for value in [
        "1", "-0.5", "9007199254740993", "null", "true", #""a""#, #""k57bxz4k9kpz903k8z0dc94hz7fb0sar""#, #""\u0061""#, "[]", "[1, 2]", #"{"b":1}"#, "{}",
        #"{"$integer":"AQAAAAAAAAA="}"#, #"{"$bytes":"AQ=="}"#, #"{"$float":"AAAAAAAA8H8="}"#, #"{"$integer":1}"#, "tru", #""a"#,
      ] {
        for json in [#"{"a":\#(value),"b":1}"#, "{ \"a\" :\t\(value) , \"b\" : 1 } ", #"{"a":\#(value),"b":1,"c":2}"#] {
          #expect(Self.outcome(json, validator, listed: false) == Self.outcome(json, validator, listed: true), "\(json)")
        }
      }
    }
    check(Validator.any)
    check(Validator.double)
    check(Validator.wholeNumber)
    check(Validator.int64)
    check(Validator.bytes)
    check(Validator.boolean)
    check(Validator.string)
    check(Validator.optional(.string))
    check(Validator.array(.double))
    check(Validator.record(.any))
    check(Validator.id(Items.self))
    check(Validator.wholeNumber.defaulting(to: 3))
  }

  @Test("An argument whose name needs escapes is found by it, and by nothing that merely looks alike")
  func namesThatNeedEscapes() throws {
    let argument = Arg(#"a\u0062"#, .double)
    func take(_ json: String) throws -> Double {
      var json = json
      return try json.withUTF8 {
        var call = try Arguments(UnsafeRawBufferPointer($0))
        let value = try call.take(argument)
        try call.finish()
        return value
      }
    }
    #expect(try take(#"{"a\\u0062":1}"#) == 1)
    #expect(throws: WireError.self) { try take(#"{"a\u0062":1}"#) }
  }

  @Test("An Int is an answer like any number")
  func intAnswers() throws {
    let (server, client, _, _) = try Self.server()
    #expect(client.ask(server, #"query items:whole {"power":53,"plus":0}"#) == "9007199254740992")
    #expect(client.ask(server, #"query items:whole {"power":3,"plus":-9}"#) == "-1")
  }

  @Test("An Int that no float64 holds is an error of the function that answers it, not the end of the server")
  func unfitAnswers() throws {
    let (server, client, _, item) = try Self.server()
    #expect(
      client.ask(server, #"query items:whole {"power":53,"plus":1}"#).hasPrefix(
        "schema_violation: the answer of items:whole: expected whole number within ±2^53, found 9007199254740993"))
    #expect(client.ask(server, "query items:wholes").hasPrefix("schema_violation: the answer of items:wholes"))
    #expect(client.ask(server, "mutation items:nestedWhole") == "-1", "a caller may catch it")
    #expect(client.ask(server, #"query items:whole {"power":2,"plus":0}"#) == "4")
    for (power, plus) in [(53, 1), (53, 2), (62, 0)] {
      let problem = client.ask(server, "mutation items:setRank {\"id\":\(item),\"power\":\(power),\"plus\":\(plus)}")
      #expect(problem.hasPrefix("schema_violation: document of table items: rank: expected whole number within ±2^53"), "\(problem)")
    }
    #expect(client.ask(server, "mutation items:bumpRank {\"id\":\(item)}").hasPrefix("schema_violation"), "though it was read in between")
    #expect(client.ask(server, "query items:rankOver") == "0")
    #expect(client.ask(server, "query items:ranked {\"how\":\"count\",\"category\":\"a\",\"gte\":1}") == "1", "the item is as it was")
  }

  @Test("Fields of every type are read as they were set, stored, sent and recovered as they are")
  func typedFields() throws {
    let (server, client, counter, _) = try Self.server()
    let document = client.ask(server, "mutation items:typed {\"owner\":\(counter)}")
    #expect(document.contains(#""colour":"green""#))
    #expect(document.contains(#""weight":{"$float":"AAAAAAAAAIA="}"#))
    #expect(document.contains(#""serial":{"$integer":"AAAAAAAAAIA="}"#))
    #expect(!document.contains("done"), "an optional field that was set to nil is not there")
    try server.crash()
    let again = server.connect()
    let page = again.ask(server, #"query _system:documents {"table":"items","order":"desc","limit":1}"#)
    #expect(page.contains(document))
  }
}
