import Foundation
import MartletValues
import TestSupport
import Testing

extension EndToEnd {
  @Suite("Import and export")
  struct TransferTests {
    let folder: TemporaryFolder
    let server: ServerProcess
    let client: RawClient

    init() throws {
      folder = try TemporaryFolder()
      server = try ServerProcess(folder, app: "HistoryApp")
      client = try server.connect()
    }

    typealias Ended = (status: Int32, output: String, errors: String)

    private func martlet(_ arguments: String..., input: String? = nil, port: Int? = nil) throws -> Ended {
      try Executable.run(arguments + ["--url", "martlet://127.0.0.1:\(port ?? server.port)"], in: folder, input: input)
    }

    private func write(_ name: String, _ text: String) throws -> String {
      try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file(name)))
      return folder.file(name)
    }

    /// A table's documents, by their creation time.
    private func documents(_ table: String, _ client: RawClient? = nil) throws -> [Value] {
      var documents: [Value] = []
      var arguments: ObjectValue = ["table": .string(table), "limit": 2_000]
      while true {
        let page = try (client ?? self.client).query("_system:documents", .object(arguments))
        documents += page["page"]?.elements ?? []
        if page["isDone"] == true { return documents }
        arguments["cursor"] = page["continueCursor"]
      }
    }

    private func content(_ table: String) throws -> [ObjectValue] {
      try documents(table).map { document in
        guard case .object(var members) = document else { throw Failure("\(document) is no object") }
        members["_id"] = nil
        members["_creationTime"] = nil
        return members
      }
    }

    // MARK: Formats

    @Test("Each format brings documents in, in the file's order, typed as the schema says")
    func formats() throws {
      let expected: [ObjectValue] = [
        ["code": "00501", "amount": 1.5, "big": .int64(9_007_199_254_740_993), "isOpen": true, "blob": .bytes([0, 255]), "tags": ["a", "b,\"c\""]],
        ["code": "x\ny", "amount": .float64(.nan)],
      ]
      let csv = "\u{FEFF}code,amount,big,isOpen,blob,tags\r\n00501,1.5,9007199254740993,TRUE,AP8=,\"[\"\"a\"\",\"\"b,\\\"\"c\\\"\"\"\"]\"\r\n\"x\ny\",NaN,,,,\r\n"
      let first = #"{"code":"00501","amount":1.5,"big":9007199254740993,"isOpen":true,"blob":{"$bytes":"AP8="},"tags":["a","b,\"c\""]}"#
      let second = #"{"code":"x\ny","amount":{"$float":"AAAAAAAA+H8="}}"#
      for (name, text) in [("typed.csv", csv), ("typed.jsonl", first + "\n" + second), ("typed.json", "[\n\(first),\n\(second)]")] {
        let ended = try martlet("import", try write(name, text), "--replace")
        #expect(ended.status == 0 && ended.errors.isEmpty, "\(name): \(ended)")
        #expect(ended.output.hasPrefix("typed: 2 documents imported"), "\(ended.output)")
        #expect(try content("typed") == expected, "\(name)")
      }
      let piped = try martlet("import", "-", "--format", "jsonl", "--table", "records", "--json", input: "{\"a\":1}\n")
      #expect(piped.status == 0, "\(piped)")
      let summary = try Value(json: piped.output)
      #expect(summary["tables"] == [["table": "records", "inserted": 1, "deleted": 0]] && summary["commits"] == 1)
    }

    @Test("A table that isn't empty is refused, and the error says what may be done; --append adds, --replace replaces")
    func modes() throws {
      let one = try write("records.jsonl", "{\"n\":1}\n")
      #expect(try martlet("import", one).status == 0)
      let refused = try martlet("import", one)
      #expect(refused.status == 1 && refused.errors.contains("--append") && refused.errors.contains("--replace"), "\(refused)")
      #expect(try content("records") == [["n": 1]])
      #expect(try martlet("import", one, "--append").status == 0)
      #expect(try content("records") == [["n": 1], ["n": 1]])
      let replaced = try martlet("import", try write("two.jsonl", "{\"n\":2}\n"), "--table", "records", "--replace")
      #expect(replaced.status == 0 && replaced.output.contains("in the place of 2"), "\(replaced)")
      #expect(try content("records") == [["n": 2]])
      #expect(try martlet("import", one, "--append", "--replace").status == 64)
      let unknown = try martlet("import", one, "--table", "nothing")
      #expect(unknown.status == 1 && unknown.errors.contains("records"), "\(unknown)")
      let system = try martlet("import", one, "--table", "_tables", "--append")
      #expect(system.status == 1 && system.errors.contains("the server's own"), "\(system)")
      #expect(try martlet("import", folder.file("missing.jsonl")).errors.contains("No such file"))
      #expect(try martlet("import", folder.file("noending")).status == 64)
    }

    @Test("A document nearly as long as a line may be goes alone, so that what is wrong with it is told with its line")
    func longDocument() throws {
      let large = try write("large.jsonl", "{\"n\":1}\n{\"a\":\"\(String(repeating: "x", count: 16_700_000))\"}\n")
      let refused = try martlet("import", large, "--table", "records", "--append")
      #expect(refused.status == 1 && refused.errors.contains("large.jsonl:2: the document has 16700"), "\(refused)")
    }

    @Test("A broken file changes nothing, whatever is wrong with it, and each problem is told with its line")
    func broken() throws {
      let server = try ServerProcess(folder, app: "HistoryApp", data: "other.sqlite")
      let client = try server.connect()
      _ = try client.mutate("_system:insert", ["table": "typed", "document": ["code": "taken"]])
      let before = try documents("typed", client)
      let id = before[0]["_id"]?.text ?? ""
      let other = DocumentID(tableNumber: 10_001, high: 1, low: 2).description
      let cases: [(name: String, text: String, places: [String])] = [
        ("a.jsonl", "{\"code\":\"1\"}\n{\"code\":\n{\"code\":3}\n{\"code\":\"4\",\"extra\":1}\n{}\n", ["2:", "3: code: expected string", "4: extra:", "5: code:"]),
        ("b.jsonl", "{\"code\":\"1\"}\n\n{\"code\":\"1\"}\n{\"code\":\"taken\"}\n", ["3: another document of the file has code \"1\""]),
        ("c.jsonl", "{\"code\":\"1\"}\n{\"code\":\"taken\"}\n", ["2: table typed has a document with code \"taken\""]),
        ("d.jsonl", "{\"code\":\"1\",\"_id\":\"x\"}\n{\"code\":\"2\",\"_id\":\"\(other)\"}\n{\"code\":\"3\",\"record\":\"\(id)\"}\n", ["1: _id:", "2: _id:", "3: record: expected id of records"]),
        ("e.jsonl", "{\"code\":\"1\",\"_id\":\"\(id)\"}\n", ["1: _id: table typed has a document with this id"]),
        ("f.jsonl", "{\"code\":\"1\",\"_creationTime\":\"now\"}\n{\"code\":\"2\",\"_other\":1}\n", ["1: _creationTime:", "2: _other:"]),
        ("g.json", "[{\"code\":\"1\"},\n{\"code\":2},\n{\"code\":\"3\"}", ["2: code:", "3:13: the file ends"]),
        ("h.csv", "code,amount\n1,x\n2\n,4\n\"5,6\n", ["2: amount: expected number", "3: expected 2 cells", "5:1: the quote"]),
        ("i.csv", "code,nothing\n1,2\n", ["2: nothing:"]),
        ("j.zip", "PK no archive", ["no whole ZIP file"]),
        ("k.jsonl", "{\"code\":\"\(String(repeating: "x", count: 1 << 20))\"}\n", ["1: the document has"]),
      ]
      for (name, text, places) in cases {
        let path = try write(name, text)
        let ended = try martlet("import", path, "--table", "typed", "--append", port: server.port)
        #expect(ended.status == 1 && ended.output.isEmpty, "\(name): \(ended)")
        for place in places { #expect(ended.errors.contains(place), "\(name): no \(place) in \(ended.errors)") }
        #expect(try documents("typed", client) == before, "\(name)")
      }
      let many = try write("many.jsonl", (1...500).map { "{\"code\":\($0)}\n" }.joined())
      let ended = try martlet("import", many, "--table", "typed", "--replace", "--json", port: server.port)
      let errors = try Value(json: ended.errors)
      #expect(errors["count"] == 500 && errors["problems"]?.elements.count == 20 && errors["problems"]?[19]?["line"] == 20)
      #expect(try documents("typed", client) == before)
      #expect(try client.query("_system:stats")["headTs"] == client.query("_system:stats")["durableTs"])
    }

    // MARK: There and back

    @Test("Every format's export comes back as the same documents; an archive and lines with the same ids and times, after a restart too")
    func roundTrips() throws {
      var random = TestRandom(seed: 3)
      let values: [Value] = [
        .null, .float64(.nan), .float64(-0.0), .int64(.min), .int64(.max), .bytes([1, 2]), .string("null"), .string("12"), .string("{\"a\":1}"), .string(" é\r\n\","),
        .array([.array([.array([.object(["a": .int64(1)])])])]), .float64(1e300), .boolean(false), .string(""),
      ]
      let lines = (0..<300).map { index -> String in
        var document: ObjectValue = ["n": .float64(Double(index))]
        for name in ["a", "b c", "d"] where !random.oneIn(3) { document[name] = random.element(of: values) }
        return Value.object(document).json + "\n"
      }
      #expect(try martlet("import", write("records.jsonl", lines.joined())).status == 0)
      let records = try documents("records")
      let ids = records.compactMap { $0["_id"]?.text }
      let typed = (0..<50).map { "{\"code\":\"\($0)\",\"record\":\"\(ids[$0])\",\"big\":\($0)}\n" }
      #expect(try martlet("import", write("typed.jsonl", typed.joined())).status == 0)
      let typedDocuments = try documents("typed")
      #expect(records.count == 300 && typedDocuments.count == 50)

      for name in ["records.jsonl", "records.json", "records.csv"] {
        let path = folder.file("out-" + name)
        let exported = try martlet("export", "records", "--output", path)
        #expect(exported.status == 0 && exported.output.hasPrefix("300 documents as of timestamp"), "\(exported)")
        #expect(try martlet("import", path, "--table", "records", "--replace").status == 0)
        #expect(try documents("records") == records, "\(name)")
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".part") } == [])
      let standard = try martlet("export", "typed")
      #expect(try standard.output.split(separator: "\n").map { try Value(json: String($0)) } == typedDocuments)

      let archive = folder.file("all.zip")
      let exported = try martlet("export", "records", "typed", "--output", archive, "--json")
      #expect(try Value(json: exported.output)["tables"]?.elements.count == 2, "\(exported)")
      // Other contents, and other creation times under the same ids.
      #expect(try martlet("import", write("x.jsonl", "{\"_id\":\"\(ids[0])\",\"_creationTime\":5}\n"), "--table", "records", "--replace").status == 0)
      #expect(try martlet("import", archive).status == 1)
      let restored = try martlet("import", archive, "--replace")
      #expect(restored.status == 0, "\(restored)")
      #expect(try documents("records") == records)
      #expect(try documents("typed") == typedDocuments)
      server.kill()

      let again = try ServerProcess(folder, app: "HistoryApp")
      let client = try again.connect()
      #expect(try documents("records", client) == records)
      #expect(try documents("typed", client) == typedDocuments)
      // A server that has none of it, from a pipe.
      let empty = try ServerProcess(folder, app: "HistoryApp", data: "empty.sqlite")
      let piped = try Executable.spawn(
        ["import", "-", "--format", "zip", "--url", "martlet://127.0.0.1:\(empty.port)"], input: .file(archive), errors: folder.file("errors"))
      #expect(try Executable.waitForExit(piped, Deadline()) == 0, "\(Executable.contents(folder.file("errors")))")
      #expect(try documents("typed", empty.connect()) == typedDocuments)
    }

    @Test("An archive of another database keeps its references: ids get the table's number here, wherever they stand")
    func foreignArchive() throws {
      let python = """
        import json, sys, zipfile
        alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
        def make(table, low):
            data = bytes([table & 127 | 128, table >> 7]) + low.to_bytes(16, "big")
            plain = partial = 0
            for byte in data:
                plain = (plain + byte) % 256
                partial = (partial + plain) % 256
            data += bytes([plain, partial])
            bits = int.from_bytes(data, "big") << (-len(data) * 8 % 5)
            count = (len(data) * 8 + 4) // 5
            return "".join(alphabet[bits >> 5 * (count - 1 - i) & 31] for i in range(count))
        with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as out:
            out.writestr("README.md", "")
            out.writestr("_tables/documents.jsonl", '{"name":"records","id":10777}\\n{"name":"typed","id":10778}\\n')
            out.writestr("records/generated_schema.jsonl", '"uniform"\\n')
            out.writestr("records/documents.jsonl", json.dumps({"_id": make(10777, 1), "_creationTime": 1000.5, "n": 1, "f": 1.0, "me": make(10777, 1),
              "map": {make(10778, 2): [make(10778, 2)]}}) + "\\n")
            out.writestr("typed/generated_schema.jsonl", '"uniform"\\n')
            out.writestr("typed/documents.jsonl", json.dumps({"_id": make(10778, 2), "_creationTime": 1000.5, "code": "c", "record": make(10777, 1),
              "big": 9007199254740993}) + "\\n")
            out.writestr("_storage/documents.jsonl", "")
            out.writestr("_storage/x.png", "x")
        """
      let path = folder.file("foreign.zip")
      let made = try Executable.python(python, path, in: folder)
      #expect(made == 0)
      let ended = try martlet("import", path)
      #expect(ended.status == 0 && ended.output.contains("Note: 1 stored file is not imported"), "\(ended)")
      let (record, typed) = (try documents("records")[0], try documents("typed")[0])
      let tables = try client.query("_system:tables").elements
      let (id, other) = (record["_id"]?.text ?? "", typed["_id"]?.text ?? "")
      #expect(DocumentID(id)?.low == 1 && DocumentID(other)?.low == 2 && tables.count > 2)
      #expect(typed["record"] == .string(id) && record["me"] == .string(id) && record["map"] == .object([other: [.string(other)]]))
      #expect(record["n"] == .int64(1) && record["f"] == 1 && record["_creationTime"] == 1000.5 && typed["big"] == .int64(9_007_199_254_740_993))
    }

    // MARK: One snapshot, bounded memory

    @Test("An export while money is moved is one moment: nothing is lost and nothing made")
    func oneSnapshot() throws {
      let bank = try ServerProcess(folder, data: "bank.sqlite")
      let writer = try bank.connect()
      let accounts = try writer.openMany(8_000, 100)
      for round in 0..<4 {
        try writer.send(
          (0..<500).map { index in
            let transfer = Bank.transfer(accounts[(index * 7 + round) % 8_000], accounts[(index * 131 + 11) % 8_000], 0.25)
            return "mutation t\(index) accounts:transferFunds \(transfer.json)"
          })
        let path = folder.file("accounts-\(round).jsonl")
        let ended = try martlet("export", "accounts", "--output", path, port: bank.port)
        #expect(ended.status == 0, "\(ended)")
        for index in 0..<500 { #expect(try writer.answer(to: "t\(index)").verb == .ok) }
        let balances = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { try Value(json: String($0))["balance"]?.number ?? 0 }
        #expect(balances.count == 8_000 && balances.reduce(0, +) == 800_000)
      }
    }

    @Test("A large file goes in by several commits, live queries see it, and neither side holds all of it twice")
    func large() throws {
      let count = 30_000
      let path = folder.file("records.jsonl")
      let filler = String(repeating: "x", count: 200)
      try Data((0..<count).map { "{\"n\":\($0),\"text\":\"\(filler)\"}\n" }.joined().utf8).write(to: URL(fileURLWithPath: path))
      let ended = try martlet("import", path, "--json")
      let summary = try Value(json: ended.output)
      #expect(summary["commits"]?.number ?? 0 >= 7 && summary["tables"]?[0]?["inserted"]?.number == Double(count), "\(ended)")
      let before = try server.residentBytes
      let exported = try martlet("export", "records", "--output", folder.file("out.jsonl"), "--json")
      #expect(exported.status == 0, "\(exported)")
      // 8 MB of documents: pages of 1 MiB come and go.
      #expect(try server.residentBytes - before < 48 << 20)
      #expect(try String(contentsOfFile: folder.file("out.jsonl"), encoding: .utf8).split(separator: "\n").count == count)
      let again = try Value(json: martlet("import", folder.file("out.jsonl"), "--table", "records", "--replace", "--json").output)
      #expect(again["tables"]?[0]?["deleted"]?.number == Double(count) && again["tables"]?[0]?["inserted"]?.number == Double(count), "\(again)")
      server.kill()
      #expect(try ServerProcess(folder, app: "HistoryApp").documents >= count)
    }
  }
}

extension Executable {
  /// Runs a script of Python's, which reads and writes archives by code that isn't ours.
  static func python(_ script: String, _ arguments: String..., in folder: TemporaryFolder) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script] + arguments
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }
}
