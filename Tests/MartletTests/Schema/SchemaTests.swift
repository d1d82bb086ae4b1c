import MartletTesting
import Testing

@testable import Martlet

/// A later version of `Items`, that asks for more.
struct StricterItems: Table {
  static let name = "items"
  let category = Field(.string)
  let rank = Field(.wholeNumber)
  let weight = Field(.double)
  let tag = Field(.string)
}

/// And one that asks for less.
struct LooserItems: Table {
  static let name = "items"
  let category = Field(.any)
  let rank = Field(.double)
  let weight = Field(.double)
  let tag = Field(.optional(.string))
  let byTag = Index("by_tag", \LooserItems.tag)
}

struct TwoFieldsOfOneName: Table {
  static let name = "twice"
  let first = Field("name", .string)
  let second = Field("name", .string)
}

struct IllNamed: Table {
  static let name = "_secret"
  let first = Field(.string)
}

struct IndexNamedLikeAnother: Table {
  static let name = "indexed"
  let first = Field(.string)
  let index = Index("by_id", \IndexNamedLikeAnother.first)
}

private struct UndeclaredMember: Table {
  static let name = "undeclared"
  struct Part: Sendable {
    var shown: String
    var hidden = ""
  }
  let part = Field(.object(Property("shown", \Part.shown, .string)) { Part(shown: $0) })
  let index = Index("by_hidden", \UndeclaredMember.part.hidden)
}

private struct KeylessMember: Table {
  static let name = "keyless"
  let profile = Field(.codable(Profile.self))
  let index = Index("by_name", \KeylessMember.profile.name)
}

private struct Named<Names: IndexNames>: Table {
  static var name: String { "named" }
  let text = Field(.string)
  let place = Field(.optional(Place.validator))
  let choice = Field(.union(Place.validator, Validator<String>.string))
  let index = Index<Named>("by_names", fields: Names.fields, summing: Names.summed)
}

private protocol IndexNames: Sendable {
  static var fields: [String] { get }
  static var summed: String? { get }
}

private struct IndexedTwice: Table {
  static let name = "twice"
  let text = Field(.string)
  let amount = Field(.double)
  let sums = Index("by_text_summing", \IndexedTwice.text, summing: \IndexedTwice.amount)
  let first = Index("by_text", \IndexedTwice.text)
  let second = Index<IndexedTwice>("by_text_too", path: "text")
}

@Suite("Schemas")
struct SchemaTests {
  @Test("Stored documents that a new schema breaks keep the server from starting; the error names documents and fields")
  func broken() throws {
    let server = try EngineHarness.items()
    let client = server.connect()
    let tagless = client.ask(server, #"mutation items:insert {"category":"a","rank":1,"weight":1}"#)
    let tagged = client.ask(server, #"mutation items:insert {"category":"a","rank":1,"weight":1,"tag":"x"}"#)
    let error = #expect(throws: SchemaError.self) {
      try EngineHarness(tables: [StricterItems.self], modules: [], disk: server.disk)
    }
    let text = error?.description ?? ""
    #expect(text.contains(tagless.dropFirst().dropLast()))
    #expect(text.contains("tag: expected string, found nothing"))
    #expect(!text.contains(tagged.dropFirst().dropLast()))
    _ = try EngineHarness(tables: [LooserItems.self], modules: [], disk: server.disk)
    _ = try EngineHarness.items(disk: server.disk)
  }

  @Test("A table that the schema no longer names keeps its documents and its number until it is named again")
  func unnamed() throws {
    let server = try EngineHarness.items()
    let client = server.connect()
    let counter = client.ask(server, #"mutation counters:set {"name":"a","value":1}"#)
    _ = client.ask(server, #"mutation items:insert {"category":"a","rank":1,"weight":1}"#)
    let without = try EngineHarness(tables: [Items.self], modules: [], disk: server.disk)
    #expect(without.recovered.unknownTables == ["counters"])
    #expect(without.connect().ask(without, #"query _system:documents {"table":"counters"}"#).contains(counter))
    #expect(
      without.connect().ask(without, "mutation _system:patch {\"id\":\(counter),\"fields\":{\"value\":2}}").hasPrefix("schema_violation"))
    let again = try EngineHarness.items(disk: server.disk)
    #expect(again.connect().ask(again, "query items:owned {\"owner\":\(counter)}") == "\"a\"")
  }

  private func problem(_ tables: [any Table.Type]) -> String {
    do {
      _ = try AppSchema(tables)
      return ""
    } catch { return "\(error)" }
  }

  @Test("Names that clash, or that can't be names, are refused at the start")
  func names() throws {
    #expect(problem([Items.self, LooserItems.self]).contains("two tables are called \"items\""))
    #expect(problem([TwoFieldsOfOneName.self]).contains("two fields called \"name\""))
    #expect(problem([IllNamed.self]).contains("\"_secret\" can't be the name of a table"))
    #expect(problem([IndexNamedLikeAnother.self]).contains("\"by_id\" is the name of another index"))
  }

  @Test("Indexes of what no document can have are refused at the start, with what there is instead")
  func indexes() throws {
    func problem(_ table: any Table.Type) -> String { self.problem([table]) }
    enum Fine: IndexNames { static let fields = ["text", "place.geo.lat", "choice.city"]; static let summed: String? = "place.geo.lat" }
    enum Unknown: IndexNames { static let fields = ["txt"]; static let summed: String? = nil }
    enum NoMember: IndexNames { static let fields = ["place.town"]; static let summed: String? = nil }
    enum NoObject: IndexNames { static let fields = ["text.length"]; static let summed: String? = nil }
    enum Doubled: IndexNames { static let fields = ["text", "text"]; static let summed: String? = nil }
    enum None: IndexNames { static let fields: [String] = []; static let summed: String? = nil }
    enum Many: IndexNames { static let fields = Array(repeating: "text", count: 17); static let summed: String? = nil }
    enum Time: IndexNames { static let fields = ["text", "_creationTime"]; static let summed: String? = nil }
    enum Identifier: IndexNames { static let fields = ["_id"]; static let summed: String? = nil }
    enum Empty: IndexNames { static let fields = ["place."]; static let summed: String? = nil }
    enum Sum: IndexNames { static let fields = ["text"]; static let summed: String? = "place.height" }
    let index = "index by_names of table named: "
    #expect(problem(Named<Fine>.self) == "")
    #expect(problem(Named<Unknown>.self) == index + "there is no field \"txt\"; there are text, place, choice")
    #expect(problem(Named<NoMember>.self) == index + "place has no member \"town\"; it has city, postCode, geo")
    #expect(problem(Named<NoObject>.self) == index + "text is string, which has no members")
    #expect(problem(Named<Doubled>.self) == index + "field \"text\" stands twice")
    #expect(problem(Named<None>.self) == index + "it has no field")
    #expect(problem(Named<Many>.self) == index + "it has 17 fields; 16 are the most")
    #expect(problem(Named<Time>.self) == index + "every index ends with \"_creationTime\" by itself; leave it out")
    #expect(problem(Named<Identifier>.self).hasPrefix(index + "\"_id\" is what by_id is for"))
    #expect(problem(Named<Empty>.self) == index + "\"place.\" is no field's name")
    #expect(problem(Named<Sum>.self) == index + "summing: place has no member \"height\"; it has city, postCode, geo")
    #expect(problem(UndeclaredMember.self).hasPrefix("index by_hidden of table undeclared: part has no Property for the key path"))
    #expect(problem(UndeclaredMember.self).hasSuffix("its validator declares shown"))
    #expect(problem(KeylessMember.self).contains("profile is {name: string, score?: number}, whose members have no key paths"))
    #expect(problem(IndexedTwice.self) == "indexes by_text and by_text_too of table twice have the same fields; remove one")
  }

  @Test("Only the app's tables count as its documents", arguments: [0, 3])
  func documentCounts(count: Int) throws {
    let server = try EngineHarness.items()
    let client = server.connect()
    if count > 0 { _ = client.ask(server, #"mutation items:writeMany {"count":\#(count),"bytes":1}"#) }
    #expect(server.statistic("documents") == count)
    try server.restart()
    #expect(server.recovered.documentCount == count)
  }

  @Test("A typed write that its type allows and its schema doesn't is refused, so that no later read meets it")
  func typedWrites() throws {
    let server = try EngineHarness.items()
    let client = server.connect()
    let item = client.ask(server, #"mutation items:insert {"category":"a","rank":1,"weight":1}"#)
    #expect(client.ask(server, "mutation items:setKind {\"id\":\(item),\"kind\":\"item\"}") == "null")
    #expect(
      client.ask(server, "mutation items:setKind {\"id\":\(item),\"kind\":\"other\"}")
        .hasPrefix(#"schema_violation: document of table items: kind: expected "item""#))
    #expect(client.ask(server, "query items:kinds") == #"["item"]"#)
    for name in ["", "$x", "é", "a\\nb"] {
      let problem = client.ask(server, "mutation items:setNote {\"id\":\(item),\"name\":\"\(name)\"}")
      #expect(problem.hasPrefix("schema_violation: document of table items: "), "\(name): \(problem)")
    }
    #expect(client.ask(server, "mutation items:setNote {\"id\":\(item),\"name\":\"fine \\\"quote\\\"\"}") == "null")
    #expect(client.ask(server, "mutation items:unsetField").contains("rank: expected whole number, found nothing"))
    try server.crash()
    #expect(server.connect().ask(server, #"query items:bare {"how":"count"}"#) == "1")
  }

  @Test("What a field's own code refuses can't be stored, so that no later read meets it")
  func ownObjects() throws {
    let server = try EngineHarness.items()
    let client = server.connect()
    func insert(_ width: Int) -> String {
      client.ask(
        server,
        #"mutation _system:insert {"table":"items","document":{"category":"a","rank":1,"weight":1,"size":{"width":\#(width)}}}"#)
    }
    #expect(insert(3).hasPrefix("\""))
    #expect(insert(0) == "schema_violation: document of table items: size: a width is more than 0")
    #expect(client.ask(server, "query items:sizes") == "[3]")
    // A typed write makes the object without that code.
    #expect(client.ask(server, "mutation items:shrink {\"id\":\(insert(2))}") == "schema_violation: document of table items: size: a width is more than 0")
    #expect(client.ask(server, "query items:sizes") == "[3,2]")
  }

  @Test("Untyped writes obey the schema, leave the system fields alone, and name the path of what is wrong")
  func untypedWrites() throws {
    let server = try EngineHarness.items()
    let client = server.connect()
    func insert(_ document: String) -> String {
      client.ask(server, "mutation _system:insert {\"table\":\"items\",\"document\":\(document)}")
    }
    let item = insert(#"{"category":"a","rank":1,"weight":1}"#)
    #expect(item.hasPrefix("\""))
    #expect(insert(#"{"category":"a","rank":1}"#).contains("weight: expected number, found nothing"))
    #expect(insert(#"{"category":"a","rank":1.5,"weight":1}"#).contains("rank: expected whole number, found 1.5"))
    #expect(
      insert(#"{"category":"a","rank":1,"weight":1,"owner":\#(item)}"#).contains(
        "owner: expected id of counters, found id of another table"))
    #expect(
      insert(#"{"category":"a","rank":1,"weight":1,"colour":"black"}"#).contains(
        #"colour: expected "red" or "green" or "blue", found another string"#))
    #expect(insert(#"{"category":"a","rank":1,"weight":1,"_id":"x"}"#).contains("\"_id\" is given by the server"))
    #expect(insert(#"{"category":"a","rank":1,"weight":1,"a\"b":1}"#).hasPrefix("schema_violation"))
    #expect(client.ask(server, "mutation _system:patch {\"id\":\(item),\"fields\":{\"rank\":9}}") == "null")
    #expect(
      client.ask(server, "mutation _system:replace {\"id\":\(item),\"document\":{\"category\":\"b\",\"rank\":9,\"weight\":2}}") == "null")
    #expect(client.ask(server, #"query items:ranked {"how":"first","category":"b","gte":9}"#) == item)
    #expect(client.ask(server, #"mutation _system:insert {"table":"_tables","document":{"name":"x","number":1}}"#).hasPrefix("forbidden"))
    #expect(client.ask(server, "mutation _system:delete {\"id\":\(item)}") == "null")
    #expect(client.ask(server, "mutation _system:delete {\"id\":\(item)}").hasPrefix("not_found"))
  }
}
