import MartletTesting
import MartletValues
import Testing

@testable import Martlet

@Suite("Imports within the engine")
struct ImportTests {
  let server: EngineHarness
  let snapshots = MemorySnapshots()
  let client: InProcessClient

  init() throws {
    server = try EngineHarness(
      tables: [Songs.self, Votes.self, Notices.self], modules: [],
      triggers: [Trigger.onChange(of: Songs.self) { ctx, _ in try ctx.db.insert(Notices.self) { $0.text = "a trigger ran" } }],
      snapshots: snapshots)
    client = server.connect()
  }

  private func call(_ function: String, _ arguments: Value, verb: String = "action") throws -> InProcessClient.Line {
    client.send("\(verb) x _system:\(function) \(arguments.json)")
    server.settle()
    return try #require(client.take().first { $0.id == "x" })
  }

  private func value(_ function: String, _ arguments: Value, verb: String = "action") throws -> Value {
    let line = try call(function, arguments, verb: verb)
    #expect(line.kind == .ok, "\(line)")
    return try Value(json: line.rest)
  }

  private func begin(_ tables: [String], _ mode: String) throws -> Value {
    try #require(try value("importBegin", ["tables": .array(tables.map { .string($0) }), "mode": .string(mode)])["import"])
  }

  private func stage(_ handle: Value, _ table: String, _ documents: [Value]) throws -> Value {
    try value(
      "importDocuments",
      [
        "import": handle, "table": .string(table), "documents": .array(documents),
        "lines": .array(documents.indices.map { .float64(Double($0 + 1)) }),
      ])
  }

  private func titles() throws -> [Value?] {
    guard case .array(let page)? = try value("documents", ["table": "songs", "limit": 10_000], verb: "query")["page"] else { return [] }
    return page.map { $0["title"] }
  }

  @Test("Documents are there with the commit, and not before; defaults are filled in, triggers don't run, a live query sees all at once")
  func commit() throws {
    let watcher = server.connect()
    watcher.send(#"subscribe s _system:documents {"table":"songs"}"#)
    server.settle()
    _ = watcher.take()
    let handle = try begin(["songs"], "new")
    #expect(try stage(handle, "songs", [["title": "a"], ["title": "b", "votes": 2]])["count"] == 0)
    #expect(try titles() == [] && watcher.take().isEmpty)
    let answer = try value("importCommit", ["import": handle])
    #expect(answer["commits"] == 1 && answer["tables"] == [["table": "songs", "inserted": 2, "deleted": 0]])
    #expect(try titles() == ["a", "b"])
    #expect(watcher.take().count { $0.kind == .update } == 1)
    let songs = try value("documents", ["table": "songs", "where": ["$eq": [["$field": "votes"], 0]]], verb: "query")
    #expect(songs["page"]?[0]?["mood"] == "calm")
    #expect(try value("documents", ["table": "notes"], verb: "query")["page"] == [])
    #expect(try call("importCommit", ["import": handle]).code == "not_found")
  }

  @Test("What others write between the check and the commit is in the way as well, and nothing is changed")
  func clashes() throws {
    let fresh = try begin(["songs"], "new")
    let added = try begin(["songs"], "append")
    #expect(try stage(fresh, "songs", [["title": "a"]])["count"] == 0)
    #expect(try stage(added, "songs", [["title": "b"], ["title": "taken"]])["count"] == 0)
    _ = try value("insert", ["table": "songs", "document": ["title": "taken", "code": "1"]], verb: "mutation")
    #expect(try call("importCommit", ["import": fresh]).message.contains("is not empty"))
    let answer = try value("importCommit", ["import": added])
    #expect(answer["count"] == 1 && answer["problems"]?[0]?["line"] == 2)
    #expect(try titles() == ["taken"])
  }

  @Test("An import that replaces deletes all, and may bring the same ids with other contents and creation times; a crash leaves it whole")
  func replace() throws {
    for title in ["a", "b", "c"] { _ = try value("insert", ["table": "songs", "document": ["title": .string(title), "code": .string(title)]], verb: "mutation") }
    let page = try value("documents", ["table": "songs"], verb: "query")["page"]
    let (first, second) = (try #require(page?[0]), try #require(page?[1]))
    let (id, time) = (try #require(first["_id"]), try #require(first["_creationTime"]))
    let handle = try begin(["songs"], "replace")
    let documents: [Value] = [
      ["_id": id, "_creationTime": 5, "title": "b", "code": "1"], ["_id": try #require(second["_id"]), "_creationTime": time, "title": "a", "code": "2"],
      ["title": "d", "code": "3", "_creationTime": time],
    ]
    #expect(try stage(handle, "songs", documents)["count"] == 0)
    let answer = try value("importCommit", ["import": handle])
    #expect(answer["tables"] == [["table": "songs", "inserted": 3, "deleted": 3]] && answer["commits"] == 1)
    let expected: [Value?] = ["b", "a", "d"]
    #expect(try titles() == expected)
    for table in server.engine.catalog.tables { try server.inspect { _ in try table.assumeIsolated { try $0.checkInvariants() } } }
    try server.crash()
    let after = server.connect()
    after.send(#"query q _system:documents {"table":"songs"}"#)
    server.settle()
    let songs = try Value(json: try #require(after.take().first).rest)["page"]
    #expect([0, 1, 2].map { songs?[$0]?["title"] } == expected && songs?[0]?["_id"] == id && songs?[1]?["_creationTime"] == time)
  }

  @Test("A restore puts documents back in the order of creation that an import has changed")
  func restoredAfterReplacing() throws {
    for title in ["a", "b", "c"] { _ = try value("insert", ["table": "songs", "document": ["title": .string(title), "code": .string(title)]], verb: "mutation") }
    _ = try value("snapshot", ["name": "s"])
    let before = try #require(try value("documents", ["table": "songs"], verb: "query")["page"])
    func member(_ song: Int, _ name: String) throws -> Value { try #require(before[song]?[name]) }
    // The times of two change places, the third's place is taken by a new one.
    let handle = try begin(["songs"], "replace")
    let documents: [Value] = [
      ["_id": try member(0, "_id"), "_creationTime": try member(1, "_creationTime"), "title": "a", "code": "a"],
      ["_id": try member(1, "_id"), "_creationTime": try member(0, "_creationTime"), "title": "b", "code": "b"],
      ["title": "d", "code": "d", "_creationTime": try member(2, "_creationTime")],
    ]
    #expect(try stage(handle, "songs", documents)["count"] == 0)
    _ = try value("importCommit", ["import": handle])
    #expect(try titles() == ["b", "a", "d"])
    _ = try value("restore", ["snapshot": "s"])
    #expect(try value("documents", ["table": "songs"], verb: "query")["page"] == before)
    for table in server.engine.catalog.tables { try server.inspect { _ in try table.assumeIsolated { try $0.checkInvariants() } } }
  }

  @Test("A large import is several commits; a crash in between leaves the first ones, in the file's order")
  func severalCommits() throws {
    let handle = try begin(["notes"], "new")
    let count = 3 * Engine.mostImportedDocuments + 1
    #expect(try stage(handle, "notes", (0..<count).map { ["n": .float64(Double($0))] })["count"] == 0)
    server.log.pace = .byHand
    client.send("action x _system:importCommit {\"import\":\(handle.json)}")
    server.run()
    server.completeBatch()
    #expect(server.log.writing != nil, "the second commit follows when the first is on the disk")
    try server.crash()
    let after = server.connect()
    after.send("query q _system:tables")
    server.settle()
    let tables = try Value(json: try #require(after.take().first).rest)
    guard case .array(let list) = tables else { throw Unexpected() }
    #expect(list.first { $0["name"] == "notes" }?["documents"] == .float64(Double(Engine.mostImportedDocuments)))
  }

  @Test("A restore between two commits of an import ends it: nothing is written on top of what was restored, and it says so")
  func restoredMeanwhile() throws {
    _ = try value("snapshot", ["name": "empty"])
    let handle = try begin(["notes"], "new")
    let count = 3 * Engine.mostImportedDocuments
    #expect(try stage(handle, "notes", (0..<count).map { ["n": .float64(Double($0))] })["count"] == 0)
    server.log.pace = .byHand
    let other = server.connect()
    client.send("action x _system:importCommit {\"import\":\(handle.json)}")
    server.run()
    #expect(server.log.writing != nil)
    other.send(#"action r _system:restore {"snapshot":"empty"}"#)
    server.run()
    server.completeBatch()
    server.log.pace = .immediate
    server.completeBatch()
    server.settle()
    #expect(other.answer("r")?.contains(#""writes":\#(Engine.mostImportedDocuments)"#) == true)
    let line = try #require(client.take().first { $0.id == "x" })
    #expect(line.kind == .error && "\(line)".contains("the database was restored while the import was being written"))
    #expect(try value("documents", ["table": "notes"], verb: "query")["page"] == [])
    // The next one is as any other.
    let again = try begin(["notes"], "new")
    #expect(try stage(again, "notes", [["n": 1]])["count"] == 0)
    #expect(try value("importCommit", ["import": again])["commits"] == 1)
  }

  private struct Unexpected: Error {}

  @Test("A handle ends when it isn't used for ten minutes, and there are bounds")
  func handles() throws {
    let handles = try (0..<Transfers.mostImports).map { _ in try begin(["songs"], "append") }
    #expect(try call("importBegin", ["tables": ["songs"], "mode": "append"]).code == "overloaded")
    let export = try #require(try value("exportBegin", [:])["export"])
    server.advance(milliseconds: 400_000)
    #expect(try stage(handles[0], "songs", [["title": "a"]])["count"] == 0)
    server.advance(milliseconds: 400_000)
    #expect(try call("importDocuments", ["import": handles[1], "table": "songs", "documents": []]).code == "not_found")
    #expect(try call("exportPage", ["export": export, "table": "songs"]).code == "not_found")
    _ = try begin(["songs"], "append")
    #expect(try value("importCommit", ["import": handles[0]])["commits"] == 1)
  }

  @Test("A handle ends with the connection that began it")
  func connections() throws {
    for _ in 0..<2 * Transfers.mostImports {
      let other = server.connect()
      other.send(#"action b _system:importBegin {"tables":["songs"],"mode":"append"}"#, "action e _system:exportBegin {}")
      server.settle()
      #expect(other.take().allSatisfy { $0.kind == .ok })
      other.disconnect()
      server.settle()
    }
    #expect(server.inspect { $0.transfers.sweep($0.environment) } == false, "none is left")
    let handle = try begin(["songs"], "append")
    _ = try stage(handle, "songs", [["title": "a"]])
    #expect(try value("importCommit", ["import": handle])["commits"] == 1)
  }

  @Test("An export's pages hold every document once, as they were when it began")
  func export() throws {
    let long = Value.string(String(repeating: "x", count: 300_000))
    let handle = try begin(["notes"], "new")
    for number in 0..<10 { #expect(try stage(handle, "notes", [["n": .float64(Double(number)), "long": long]])["count"] == 0) }
    _ = try value("importCommit", ["import": handle])
    let begun = try value("exportBegin", ["tables": ["notes"]])
    let export = try #require(begun["export"])
    #expect(begun["tables"]?[0]?["documents"] == 10)
    let replaced = try begin(["notes"], "replace")
    _ = try value("importCommit", ["import": replaced])
    var numbers: [Value?] = []
    var pages = 0
    var arguments: ObjectValue = ["export": export, "table": "notes"]
    while true {
      let page = try value("exportPage", .object(arguments))
      pages += 1
      guard case .array(let documents)? = page["documents"] else { throw Unexpected() }
      numbers += documents.map { $0["n"] }
      guard let next = page["continue"] else { break }
      arguments["after"] = next
    }
    #expect(numbers == (0..<10).map { .float64(Double($0)) } && pages == 4)
    _ = try value("exportEnd", ["export": export])
    #expect(try call("exportPage", ["export": export, "table": "notes"]).code == "not_found")
  }
}
