import Foundation
import MartletValues
import Testing

extension EndToEnd {
  @Suite("The commands")
  struct CommandTests {
    let folder: TemporaryFolder
    let server: ServerProcess

    init() throws {
      folder = try TemporaryFolder()
      server = try ServerProcess(folder, examples: ["bank", "store"])
    }

    private typealias Ended = (status: Int32, output: String, errors: String)

    private func martlet(_ arguments: String..., url: String? = nil) throws -> Ended {
      try Executable.run(arguments + ["--url", url ?? "martlet://127.0.0.1:\(server.port)"], in: folder)
    }

    @Test("run runs a function of any kind, and prints its value: as JSON a line of it, otherwise for a person")
    func run() throws {
      let opened = try martlet("run", "accounts:open", "owner=ada", "balance=1000", "--json")
      #expect(opened.status == 0 && opened.errors.isEmpty, "\(opened)")
      let id = try Value(json: opened.output)
      #expect(opened.output.hasSuffix("\n"))
      let client = try server.connect()
      #expect(try client.balance(id.text ?? "") == 1_000)

      let json = try martlet("run", "accounts:byOwner", #"{"owner":"ada"}"#, "--json")
      #expect(try Value(json: json.output) == client.query("accounts:byOwner", ["owner": "ada"]))
      let text = try martlet("run", "accounts:byOwner", "owner=ada")
      #expect(text.status == 0 && text.output.contains("ada") && text.output.contains("1000") && !text.output.hasPrefix("["))
      let snapshot = try martlet("run", "_system:snapshot", "name=by-hand", "--json")
      #expect(try Value(json: snapshot.output)["name"] == "by-hand")
    }

    @Test("functions, tables, data and stats show what the server has, and with --json what its own functions answer")
    func lists() throws {
      let client = try server.connect()
      _ = try client.openMany(30, 5)
      let functions = try martlet("functions")
      #expect(functions.status == 0)
      for name in ["accounts:transferFunds", "orders:createOrder"] { #expect(functions.output.contains(name)) }
      #expect(!functions.output.contains("_system:"))
      #expect(try martlet("functions", "--all").output.contains("_system:stats"))
      let names = try Value(json: martlet("functions", "--json").output).elements.compactMap { $0["name"]?.text }
      #expect(names.contains("accounts:open") && names == names.sorted())

      let tables = try martlet("tables")
      #expect(tables.status == 0 && tables.output.contains("accounts") && tables.output.contains("by_owner (owner)"))
      #expect(try Value(json: martlet("tables", "--json").output) == client.query("_system:tables"))

      let lines = try martlet("data", "accounts", "--limit", "25", "--json").output.split(separator: "\n")
      #expect(try lines.map { try Value(json: String($0)) } == Array(CrashTests.accounts(client).prefix(25)))
      let data = try martlet("data", "accounts")
      #expect(data.status == 0 && data.output.contains("owner-1") && data.output.contains("more than these 20"))

      let stats = try Value(json: martlet("stats", "--json").output)
      #expect(stats["documents"] == 30 && stats["storage"] == "ok")
      for name in [
        "commits", "mutations", "conflicts", "queries", "queryRuns", "liveQueries", "subscriptions", "connections", "documents",
        "durableTs",
        "uptimeSeconds",
      ] { #expect(stats[name]?.number != nil, "\(name) is promised by the protocol") }
      #expect(try martlet("stats").output.contains("durableTs"))
    }

    @Test("subscribe --count prints as many updates as were asked for, each with its timestamp, and ends")
    func subscribe() throws {
      let client = try server.connect()
      let url = "martlet://127.0.0.1:\(server.port)"
      let once = try martlet("subscribe", "accounts:total", "--count", "1", "--json")
      #expect(once.status == 0)
      let first = try Value(json: once.output)
      #expect(first["value"] == ["count": 0, "total": 0] && first["timestamp"]?.number != nil)
      #expect(try martlet("subscribe", "accounts:total", "--count", "1").output.hasPrefix("── update 1, timestamp "))

      let child = try Executable.spawn(
        ["subscribe", "accounts:total", "--count", "3", "--json", "--url", url], errors: folder.file("errors"))
      var updates: [Value] = []
      do {
        for balance in 1...3 {
          updates.append(try Value(json: Executable.readLine(from: child.output, Deadline())))
          _ = try client.open("a", Double(balance))
        }
      } catch {
        Executable.killAndReap(child)
        throw error
      }
      #expect(try Executable.waitForExit(child, Deadline()) == 0)
      #expect(updates.map { $0["value"]?["total"]?.number } == [0, 1, 3])
    }

    @Test("data reads a range of an index from either end, and says what is wrong with one")
    func ranges() throws {
      let client = try server.connect()
      for (owner, balance) in [("a", 1), ("b", 5), ("a", 3), ("b", 2), ("a", 4)] { _ = try client.open(owner, Double(balance)) }
      func balances(_ arguments: String...) throws -> [Double?] {
        let ended = try Executable.run(
          ["data", "accounts", "--json", "--url", "martlet://127.0.0.1:\(server.port)"] + arguments, in: folder)
        #expect(ended.status == 0, "\(ended)")
        return try ended.output.split(separator: "\n").map { try Value(json: String($0))["balance"]?.number }
      }
      #expect(try balances() == [1, 5, 3, 2, 4])
      #expect(try balances("--order", "desc", "--limit", "2") == [4, 2])
      #expect(try balances("--index", "by_balance") == [1, 2, 3, 4, 5])
      #expect(try balances("--index", "by_balance", "--gte", "2", "--lt", "5", "--order", "desc") == [4, 3, 2])
      #expect(try balances("--index", "by_owner", "--eq", "a") == [1, 3, 4])
      let unknown = try martlet("data", "accounts", "--index", "by_nothing")
      #expect(unknown.status == 1 && unknown.errors.contains("by_owner"), "\(unknown)")
    }

    @Test("data --where keeps the documents for which a filter is true, over several pages and live")
    func filters() throws {
      let client = try server.connect()
      for (owner, balance) in [("a", 1), ("b", 5), ("a", 3), ("b", 2), ("a", 4)] { _ = try client.open(owner, Double(balance)) }
      func balances(_ filter: String, _ arguments: String...) throws -> [Double?] {
        let ended = try Executable.run(
          ["data", "accounts", "--json", "--where", filter, "--url", "martlet://127.0.0.1:\(server.port)"] + arguments, in: folder)
        #expect(ended.status == 0, "\(ended)")
        return try ended.output.split(separator: "\n").map { try Value(json: String($0))["balance"]?.number }
      }
      #expect(try balances(#"owner == "a" && balance > 1"#) == [3, 4])
      #expect(try balances("!(owner = 'a' or balance <= 2)") == [5])
      #expect(try balances("owner = 'a'", "--index", "by_balance", "--order", "desc", "--limit", "2") == [4, 3])
      #expect(try balances("note = missing", "--limit", "2") == [1, 5])
      #expect(try balances("note != missing or owner > 5 and balance < 2") == [1], "a string comes after every number")
      _ = try client.openMany(3_000, 7)
      #expect(try balances("owner = 'owner-2999' or owner = 'b'") == [5, 2, 7], "beyond what one page passes")

      let child = try Executable.spawn(
        [
          "data", "accounts", "--where", "owner = 'b'", "--live", "--count", "2", "--json", "--url", "martlet://127.0.0.1:\(server.port)",
        ], errors: folder.file("errors"))
      var updates: [Value] = []
      do {
        for _ in 0..<2 {
          updates.append(try Value(json: Executable.readLine(from: child.output, Deadline())))
          _ = try client.open("a", 1)
          _ = try client.open("b", 6)
        }
      } catch {
        Executable.killAndReap(child)
        throw error
      }
      #expect(try Executable.waitForExit(child, Deadline()) == 0)
      #expect(updates.map { $0["value"]?.elements.map { $0["balance"]?.number } ?? [] } == [[5, 2], [5, 2, 6]])
    }

    @Test("data --live shows a page again when it changes, and no other commit")
    func liveData() throws {
      let client = try server.connect()
      _ = try client.openMany(3, 10)
      let child = try Executable.spawn(
        [
          "data", "accounts", "--index", "by_balance", "--order", "desc", "--limit", "2", "--live", "--count", "3", "--json",
          "--url", "martlet://127.0.0.1:\(server.port)",
        ], errors: folder.file("errors"))
      var updates: [Value] = []
      do {
        for balance in [20.0, 30.0, 40.0] {
          updates.append(try Value(json: Executable.readLine(from: child.output, Deadline())))
          // Below the page: it is none of its business.
          _ = try client.open("poor", 1)
          _ = try client.open("rich", balance)
        }
      } catch {
        Executable.killAndReap(child)
        throw error
      }
      #expect(try Executable.waitForExit(child, Deadline()) == 0)
      #expect(updates.map { $0["value"]?.elements.map { $0["balance"]?.number } ?? [] } == [[10, 10], [20, 10], [30, 20]])
      let text = try martlet("data", "accounts", "--live", "--count", "1", "--index", "by_owner", "--eq", "rich")
      #expect(text.status == 0 && text.output.hasPrefix("── update 1, timestamp ") && text.output.contains("rich"), "\(text)")
      let wrong = try martlet("data", "nothing", "--live", "--count", "1", "--json")
      #expect(wrong.output.contains("not_found"), "a live query that fails says so, and stays live: \(wrong)")
    }

    @Test("schema tells each table's fields, types and indexes; functions tells types of arguments")
    func schema() throws {
      let all = try martlet("schema")
      #expect(all.status == 0 && all.output.contains("── accounts: 0 documents ──") && all.output.contains("── orders: "))
      #expect(!all.output.contains("_tables"))
      let orders = try martlet("schema", "orders")
      for text in [
        "id of orders", "trackingNumber?", "array of {", #""pending" or "confirmed""#, "by_status", "userId",
      ] { #expect(orders.output.contains(text), "\(text) in \(orders.output)") }
      #expect(!orders.output.contains("accounts"))
      #expect(try martlet("schema", "accounts").output.contains("sums balance"))
      let lines = try martlet("schema", "--json").output.split(separator: "\n").map { try Value(json: String($0)) }
      #expect(try lines == server.connect().query("_system:tables").elements.filter { $0["name"]?.text?.hasPrefix("_") == false })
      let unknown = try martlet("schema", "nothing")
      #expect(unknown.status == 1 && unknown.errors.contains("accounts"), "\(unknown)")
      let functions = try martlet("functions").output
      #expect(functions.contains(#"limit?: number, status: "pending" or "#), "\(functions)")
    }

    @Test("snapshot create writes one, snapshot list lists it, and a name that is taken is an error")
    func snapshots() throws {
      let server = try ServerProcess(folder, data: "bank.sqlite")
      func martlet(_ arguments: String...) throws -> Ended {
        try Executable.run(arguments + ["--url", "martlet://127.0.0.1:\(server.port)"], in: folder)
      }
      _ = try server.connect().openMany(7, 1)
      #expect(try martlet("snapshot", "list").output.contains("No snapshots yet"))
      let created = try martlet("snapshot", "create", "monday", "--json")
      #expect(created.status == 0)
      #expect(try Value(json: created.output)["documents"] == 7)
      let list = try martlet("snapshot", "list")
      #expect(list.status == 0 && list.output.contains("monday"))
      #expect(try Value(json: martlet("snapshot", "list", "--json").output).elements.map { $0["name"] } == ["monday"])
      let again = try martlet("snapshot", "create", "monday")
      #expect(again.status == 1 && again.errors.contains("monday") && again.output.isEmpty, "\(again)")
    }

    @Test("jobs lists the scheduler's jobs, once and live, by state; jobs cancel cancels one")
    func jobs() throws {
      // A server without crons, whose jobs would be there as well.
      let server = try ServerProcess(folder, data: "bank.sqlite")
      func martlet(_ arguments: String...) throws -> Ended {
        try Executable.run(arguments + ["--url", "martlet://127.0.0.1:\(server.port)"], in: folder)
      }
      let client = try server.connect()
      let (from, to) = (try client.open("a", 100), try client.open("b", 0))
      #expect(try martlet("jobs").output == "No jobs.\n")
      let pay: Value = ["from": .string(from), "to": .string(to), "amount": 1, "count": 3, "everyMs": 1_000, "afterMs": 3_600_000]
      try client.mutate("accounts:payInInstalments", pay)
      let text = try martlet("jobs", "--state", "pending")
      #expect(text.status == 0 && text.output.contains("accounts:transferFunds") && text.output.contains("pending"), "\(text)")
      let jobs = try martlet("jobs", "--json").output.split(separator: "\n").map { try Value(json: String($0)) }
      #expect(try jobs == client.query("_system:scheduled").elements && jobs.count == 3)
      #expect(try martlet("jobs", "--limit", "2", "--json").output.split(separator: "\n").count == 2)

      let url = "martlet://127.0.0.1:\(server.port)"
      let child = try Executable.spawn(
        ["jobs", "--state", "canceled", "--live", "--count", "2", "--json", "--url", url], errors: folder.file("errors"))
      var counts: [Int?] = []
      do {
        counts.append(try Value(json: Executable.readLine(from: child.output, Deadline()))["value"]?.elements.count)
        let canceled = try martlet("jobs", "cancel", jobs[0]["_id"]?.text ?? "", "--json")
        #expect(try Value(json: canceled.output)["state"]?["kind"] == "canceled", "\(canceled)")
        counts.append(try Value(json: Executable.readLine(from: child.output, Deadline()))["value"]?.elements.count)
      } catch {
        Executable.killAndReap(child)
        throw error
      }
      #expect(try Executable.waitForExit(child, Deadline()) == 0)
      #expect(counts == [0, 1])
      #expect(try martlet("jobs", "--live", "--count", "1").output.contains("── update 1"))
      #expect(try martlet("jobs", "cancel", from).status == 1)
    }

    @Test("crons lists what is declared, in words, with the last runs; crons run runs one, and crons runs lists its runs")
    func crons() throws {
      let bank = try ServerProcess(folder, data: "bank.sqlite")
      let bankURL = "martlet://127.0.0.1:\(bank.port)"
      #expect(try martlet("crons", url: bankURL).output == "No crons.\n" && martlet("crons", "runs", url: bankURL).output == "No runs.\n")
      let missing = try martlet("crons", "run", "nothing")
      #expect(missing.status == 1 && missing.errors.contains("nothing"))

      let folder = try TemporaryFolder()
      let app = try ServerProcess(folder, app: "HistoryApp")
      let url = "martlet://127.0.0.1:\(app.port)"
      let text = try martlet("crons", url: url)
      for word in ["often", "every 100 milliseconds", "seldom", "jobs:tick"] { #expect(text.output.contains(word), "\(text)") }
      let names = try martlet("crons", "--json", url: url).output.split(separator: "\n").map { try Value(json: String($0))["name"] }
      #expect(names == ["often", "seldom"])
      let run = try martlet("crons", "run", "seldom", url: url)
      #expect(run.status == 0 && run.output.contains("seldom"), "\(run)")
      // Two updates: the crons do run, and each run shows.
      let live = try martlet("crons", "--live", "--count", "3", "--json", url: url).output.split(separator: "\n")
      let last = try Value(json: String(live[live.count - 1]))["value"]?.elements.first
      #expect(live.count == 3 && last?["lastRun"]?["status"]?.text != nil, "\(live)")
      let runs = try martlet("crons", "runs", "often", "--limit", "1", "--json", url: url)
      #expect(try Value(json: runs.output)["name"] == "often", "\(runs)")
      #expect(try martlet("crons", "runs", url: url).output.contains("success"))
      #expect(try app.stop() == 0)
    }

    @Test("logs shows what functions logged, the newest last; with --follow also what comes later, each line once")
    func logs() throws {
      let folder = try TemporaryFolder()
      let app = try ServerProcess(folder, app: "HistoryApp")
      let client = try app.connect()
      let url = "martlet://127.0.0.1:\(app.port)"
      #expect(try martlet("logs", url: url).output.isEmpty)
      for text in ["one", "two"] { try client.mutate("jobs:say", ["text": .string(text)]) }
      let said = try martlet("logs", "--json", url: url).output.split(separator: "\n").map { try Value(json: String($0))["message"] }
      #expect(said == ["one", "two"])
      #expect(try martlet("logs", "--limit", "1", url: url).output.hasSuffix("  info     jobs:say  two\n"))
      #expect(try martlet("logs", "--level", "error", url: url).output.isEmpty && martlet("logs", "--function", "set:", url: url).output.isEmpty)

      let child = try Executable.spawn(["logs", "-f", "--limit", "1", "--json", "--url", url], errors: folder.file("errors"))
      defer { Executable.killAndReap(child) }
      var followed: [String?] = []
      for text in ["three", "three", "four"] {
        followed.append(try Value(json: Executable.readLine(from: child.output, Deadline()))["message"]?.text)
        try client.mutate("jobs:say", ["text": .string(text)])
      }
      followed.append(try Value(json: Executable.readLine(from: child.output, Deadline()))["message"]?.text)
      #expect(followed == ["two", "three", "three", "four"])

      let runs = try martlet("logs", "--runs", "--function", "jobs:say", "--json", url: url).output.split(separator: "\n")
        .map { try Value(json: String($0)) }
      #expect(runs.count == 10 && runs.filter { $0["outcome"] == "success" && $0["kind"] == "mutation" }.count == 5)
      let numbers = runs.compactMap { $0["number"] }
      #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 } && numbers.count == 10)
      let statistics = try martlet("functions", "--stats", "--json", url: url)
      let functions = try statistics.output.split(separator: "\n").map { try Value(json: String($0)) }
      #expect(functions.first { $0["name"] == "jobs:say" }?["runs"] == 5, "\(statistics)")

      let every = try Executable.spawn(
        ["logs", "-f", "--all-runs", "--function", "jobs:progress", "--limit", "0", "--json", "--url", url], errors: folder.file("errors"))
      defer { Executable.killAndReap(every) }
      let deadline = Deadline()
      // From some moment on it is asked for, and then a query that says nothing has an entry too.
      repeat { _ = try client.query("jobs:progress") }
        while !Deadline(seconds: 0.05).wait(for: Int32(POLLIN), on: every.output) && deadline.remainingMilliseconds > 0
      let lines = try Executable.readLine(from: every.output, deadline)
      let run = try Value(json: String(try #require(lines.split(separator: "\n").first)))
      #expect(run["function"] == "jobs:progress" && run["outcome"] == "success" && run["by"] == "request", "\(run)")
    }

    @Test("An error of the server ends a command with status 1 and says so on standard error, as JSON if that was asked for")
    func serverErrors() throws {
      let funds = try martlet("run", "accounts:open", "owner=a", "balance=-1")
      #expect(funds.status == 1 && funds.output.isEmpty)
      #expect(funds.errors.contains("balance must be between") && funds.errors.contains("application"))
      let unknown = try martlet("run", "accounts:nothing", "--json")
      #expect(unknown.status == 1 && unknown.output.isEmpty)
      #expect(try Value(json: unknown.errors)["code"] == "unknown_function")
      #expect(try martlet("run", "accounts:get").errors.contains("args.id"))
      #expect(try martlet("data", "nothing").errors.contains("accounts"))
    }

    @Test(
      "A wrong command line ends with status 64, says what is wrong, and asks no server",
      arguments: [
        ["run"], ["run", "accounts:open", "owner"], ["run", "accounts:open", "{"], ["run", "accounts:open", "a=1", "a=2"],
        ["subscribe", "accounts:total", "--count", "0"], ["data", "accounts", "--limit", "none"], ["fly"],
        ["data", "accounts", "--where", "balance >"], ["data", "accounts", "--eq", "1"], ["data", "accounts", "--count", "1"], ["jobs", "--state", "done"], ["logs", "--level", "loud"],
        ["stats", "--url", "http://a b"],
        ["serve", "--example", "nothing"], ["serve", "--port", "70000"], ["serve", "--admin-key", ""],
      ])
    func wrongCommandLines(_ arguments: [String]) throws {
      let ended = try Executable.run(arguments, in: folder)
      #expect(ended.status == 64 && ended.output.isEmpty && !ended.errors.isEmpty, "\(ended)")
    }

    @Test("Where no server is, the error names the address and says what to do")
    func noServer() throws {
      // Nothing listens on port 1.
      for json in [[], ["--json"]] {
        let ended = try Executable.run(["stats", "--url", "martlet://127.0.0.1:1"] + json, in: folder)
        #expect(ended.status == 1 && ended.output.isEmpty)
        #expect(ended.errors.contains("martlet://127.0.0.1:1") && ended.errors.contains("serve"), "\(ended.errors)")
      }
    }

    @Test("With an admin key a command needs it, and finds it in --token")
    func adminKey() throws {
      let folder = try TemporaryFolder()
      let server = try ServerProcess(folder, arguments: ["--admin-key", "key"])
      let url = "martlet://127.0.0.1:\(server.port)"
      let refused = try martlet("stats", url: url)
      #expect(refused.status == 1 && refused.errors.contains("--token") && refused.errors.contains("forbidden"))
      #expect(try martlet("stats", "--token", "wrong", url: url).status == 1)
      #expect(try martlet("stats", "--token", "key", url: url).status == 0)
    }
  }
}
