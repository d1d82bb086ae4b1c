import MartletValues
import Testing

@testable import MartletCommands

@Suite("The commands of what runs by itself")
struct JobsCommandTests {
  @Test("Jobs are a table; who scheduled one, and why it failed, are columns where there is something to say")
  func jobs() {
    var job: ObjectValue = [
      "_id": "j1", "name": "orders:sweep", "args": ["days": 7], "scheduledTime": 1_795_264_852_981, "state": ["kind": "pending"],
    ]
    #expect(
      JobsCommand.table([.object(job)]).render() == """
        id  function      arguments   state    scheduled                 completed
        ──  ────────────  ──────────  ───────  ────────────────────────  ─────────
        j1  orders:sweep  {"days":7}  pending  2026-11-21T12:40:52.981Z

        """)
    job["state"] = ["kind": "failed", "error": "no such order"]
    job["cron"] = "nightly"
    let text = JobsCommand.table([.object(job)]).render()
    #expect(text.contains("cron nightly") && text.contains("no such order"))
  }

  @Test("Crons are told in words, with the next run and how the last one went")
  func crons() {
    let crons: [Value] = [
      [
        "name": "sweep", "schedule": "daily 03:30 in Europe/Berlin", "function": "orders:sweep", "nextTime": 1_795_264_852_000,
        "lastRun": ["scheduledTime": 1_795_178_452_000, "status": "skipped"],
      ],
      ["name": "once", "schedule": "by a newer server", "function": "a:b"],
    ]
    #expect(
      CronsCommand.table(crons).render() == """
        name   runs                              function      next run                  last run                  its end
        ─────  ────────────────────────────────  ────────────  ────────────────────────  ────────────────────────  ───────
        sweep  every day at 03:30 Europe/Berlin  orders:sweep  2026-11-21T12:40:52.000Z  2026-11-20T12:40:52.000Z  skipped
        once   by a newer server                 a:b           never

        """)
  }

  @Test("A log line is a line, whatever was logged; filters are by the function's name and by the level")
  func logs() throws {
    let line: Value = ["at": 1_795_264_852_981, "function": "orders:sweep", "level": "info", "message": "two\nlines"]
    #expect(LogsCommand.text(of: line) == #"2026-11-21T12:40:52.981Z  info     orders:sweep  two\nlines"#)
    func isWanted(_ words: String...) throws -> Bool {
      try #require(try RootCommand.parseAsRoot(["logs"] + words) as? LogsCommand).isWanted(line)
    }
    #expect(try isWanted() && isWanted("--level", "info") && isWanted("--function", "orders:"))
    #expect(try !isWanted("--level", "warning") && !isWanted("--function", "sweep"))
  }

  @Test("Whoever follows the log gets each line once, also where lines are alike")
  func tail() {
    var tail = LogTail()
    #expect(tail.take([]).isEmpty && !tail.isEmpty)
    #expect(tail.take(["a", "b"]) == ["a", "b"])
    #expect(tail.take(["a", "b"]).isEmpty)
    #expect(tail.take(["a", "b", "b"]) == ["b"])
    #expect(tail.take(["b", "b", "c"]) == ["c"])
    #expect(tail.take(["x", "y", "z"]) == ["x", "y", "z"], "a server that started anew")
  }

  @Test(
    "What makes no sense is a wrong command line",
    arguments: [
      ["jobs", "--state", "done"], ["jobs", "--limit", "0"], ["jobs", "--count", "1"], ["jobs", "--live", "--count", "0"], ["jobs", "cancel"],
      ["crons", "--count", "1"], ["crons", "run"], ["crons", "runs", "--limit", "0"], ["logs", "--level", "loud"], ["logs", "--limit", "-1"],
    ])
  func wrong(words: [String]) {
    #expect(throws: (any Error).self) { try RootCommand.parseAsRoot(words) }
  }
}
