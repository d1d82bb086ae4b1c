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

  @Test("A log line is a line, whatever was logged; the server is asked for what the options say")
  func logs() throws {
    let line: Value = ["at": 1_795_264_852_981, "function": "orders:sweep", "level": "info", "message": "two\nlines"]
    #expect(LogsCommand.text(of: line) == #"2026-11-21T12:40:52.981Z  info     orders:sweep  two\nlines"#)
    func asked(_ words: String...) throws -> String {
      try #require(try RootCommand.parseAsRoot(["logs"] + words) as? LogsCommand).arguments(limit: 5, after: 7).json
    }
    #expect(try asked() == #"{"after":7,"level":"debug","limit":5}"#)
    #expect(try asked("--level", "info", "--function", "a:", "--runs") == #"{"after":7,"function":"a:","level":"info","limit":5,"runs":"kept"}"#)
    #expect(try asked("-f", "--all-runs") == #"{"after":7,"level":"debug","limit":5,"runs":"all"}"#)
  }

  @Test("A run is a line too, with its time, what it read and wrote, whose it was and how it ended")
  func runs() {
    let run: Value = [
      "at": 1_795_264_852_981, "function": "orders:create", "kind": "mutation", "level": "info", "number": 17, "outcome": "success", "ms": 1.25,
      "documentsRead": 3, "documentsWritten": 2, "by": "request", "request": "a\nb", "session": "s",
    ]
    #expect(LogsCommand.text(of: run) == #"2026-11-21T12:40:52.981Z  info     orders:create  ✓ 1.25 ms, 3 read, 2 written, request a\nb"#)
    let failed: Value = [
      "at": 1_795_264_852_981, "function": "orders:sweep", "kind": "action", "level": "error", "number": 18, "outcome": "application",
      "message": "no\nstock", "by": "cron", "cron": "sweep", "job": "j5",
    ]
    #expect(LogsCommand.text(of: failed) == #"2026-11-21T12:40:52.981Z  error    orders:sweep  ✗ cron sweep: no\nstock (application)"#)
  }

  @Test("The statistics of functions are a table")
  func statistics() {
    let functions: [Value] = [
      [
        "name": "orders:create", "kind": "mutation", "runs": 12, "failures": 1, "timedRuns": 12, "meanMs": 0.25, "longestMs": 1.5,
        "documentsRead": 30, "documentsWritten": 12,
      ]
    ]
    #expect(
      FunctionsCommand.statisticsTable(functions).render() == """
        function       kind      runs  failures  mean ms  longest ms  read  written
        ─────────────  ────────  ────  ────────  ───────  ──────────  ────  ───────
        orders:create  mutation    12         1     0.25         1.5    30       12

        """)
  }

  @Test(
    "What makes no sense is a wrong command line",
    arguments: [
      ["jobs", "--state", "done"], ["jobs", "--limit", "0"], ["jobs", "--count", "1"], ["jobs", "--live", "--count", "0"], ["jobs", "cancel"],
      ["crons", "--count", "1"], ["crons", "run"], ["crons", "runs", "--limit", "0"], ["logs", "--level", "loud"], ["logs", "--limit", "-1"], ["logs", "--all-runs"],
    ])
  func wrong(words: [String]) {
    #expect(throws: (any Error).self) { try RootCommand.parseAsRoot(words) }
  }
}
