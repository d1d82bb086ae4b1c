import Foundation
import MartletValues
import TestSupport
import Testing

extension EndToEnd {
  @Suite("Damaged data files")
  struct RepairTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: folder.file(name))) }

    private func write(_ bytes: Data, _ name: String) throws { try bytes.write(to: URL(fileURLWithPath: folder.file(name))) }

    /// Accounts of 1, and a server that has stopped, so that all of it is folded.
    private func fill(_ count: Int) throws {
      let server = try ServerProcess(folder)
      let client = try server.connect()
      try client.send((0..<count).map { #"mutation m\#($0) accounts:open {"owner":"the owner of \#($0) is known","balance":1}"# })
      for index in 0..<count { _ = try client.answer(to: "m\(index)").okValue }
      #expect(try server.stop() == 0)
    }

    private func repair(_ data: String, _ more: [String] = []) throws -> (status: Int32, output: String, errors: String) {
      try Executable.run(["repair", "--data", folder.file(data)] + more, in: folder)
    }

    @Test("A damaged document stops the start, by table, id and place; repair saves the others, and a server starts on them")
    func document() throws {
      try fill(300)
      var damaged = try bytes("data.sqlite")
      let text = try #require(damaged.firstRange(of: Data("the owner of 117 is".utf8)))
      damaged[text.lowerBound + 5] ^= 1
      try write(damaged, "damaged.sqlite")
      let start = try Executable.run(["serve", "--example", "bank", "--port", "0", "--data", folder.file("damaged.sqlite")], in: folder)
      #expect(start.status == 1)
      #expect(start.errors.contains("of table accounts") && start.errors.contains("repair"), "\(start.errors)")
      let place = try #require(start.errors.firstMatch(of: #/begins at byte (\d+) of/#).flatMap { Int($0.1) }, "\(start.errors)")
      #expect(place < text.lowerBound && text.lowerBound - place < 100)
      let id = try #require(start.errors.firstMatch(of: #/document (\w+) of/#)?.1)

      let saved = try repair("damaged.sqlite")
      #expect(saved.status == 0, "\(saved.errors)")
      #expect(saved.output.contains("Saved 299 documents") && saved.output.contains("document \(id) of table accounts, at byte \(place)"), "\(saved.output)")
      #expect(try bytes("damaged.sqlite") == damaged)
      let again = try repair("damaged.sqlite")
      #expect(again.status == 1 && again.errors.contains("exists already"), "\(again.errors)")

      let server = try ServerProcess(folder, data: "damaged.repaired.sqlite")
      let client = try server.connect()
      #expect(try client.total() == (299, 299))
      _ = try client.open("goes on", 1)
      let busy = try repair("damaged.repaired.sqlite", ["--output", folder.file("none.sqlite")])
      #expect(busy.status == 1 && busy.errors.contains("in use by another process, number \(server.processID)"), "\(busy.errors)")
      #expect(try client.total() == (300, 300))
    }

    @Test("repair says as JSON what is lost, and where commits are lost leaves out those after them if asked to")
    func log() throws {
      let server = try ServerProcess(folder)
      let client = try server.connect()
      for index in 0..<60 { _ = try client.open("the owner of \(index) is known", 1) }
      server.kill()
      // All of it is in the write-ahead log, or most.
      _ = try repair("data.sqlite", ["--output", folder.file("whole.sqlite"), "--json"])
      let whole = try ServerProcess(folder, data: "whole.sqlite")
      #expect(try whole.connect().total() == (60, 60))
      whole.kill()

      // A start moves the write-ahead log into the file, where the commits are still rows of the log.
      let restarted = try ServerProcess(folder)
      restarted.kill()
      var damaged = try bytes("data.sqlite")
      let text = try #require(damaged.firstRange(of: Data("the owner of 30 is".utf8)))
      damaged[text.lowerBound + 5] ^= 1
      try write(damaged, "damaged.sqlite")
      func saved(_ output: String, _ more: [String] = []) throws -> (report: Value, accounts: Int) {
        let run = try repair("damaged.sqlite", ["--output", folder.file(output), "--json"] + more)
        #expect(run.status == 0, "\(run.errors)")
        let server = try ServerProcess(folder, data: output)
        return (try Value(json: run.output), try Int(server.connect().total().count))
      }
      let (report, accounts) = try saved("all.sqlite")
      #expect(report["isWhole"] == false && accounts == 59, "\(report.json)")
      #expect(report["lost"]?.elements.first?.text?.contains("commits after timestamp") == true, "\(report.json)")
      let (short, before) = try saved("short.sqlite", ["--stop-at-loss"])
      #expect(before == 30, "\(short.json)")
      #expect(short["completeThrough"] == report["completeThrough"] && short["timestamp"] == short["completeThrough"], "\(short.json)")
    }

    @Test("Whatever bits flip, a server starts with exactly the right data, or refuses and says where")
    func flips() throws {
      try fill(200)
      let sound = try bytes("data.sqlite")
      var random = TestRandom(seed: 6)
      var refused = 0
      for round in 0..<14 {
        var damaged = sound
        damaged[random.number(0..<damaged.count)] ^= 1 << UInt8(random.number(0..<8))
        try write(damaged, "flipped\(round).sqlite")
        do {
          let server = try ServerProcess(folder, data: "flipped\(round).sqlite")
          #expect(try server.connect().total() == (200, 200))
          server.kill()
        } catch let failure as Failure {
          refused += 1
          #expect(failure.description.contains("flipped\(round).sqlite") && !failure.description.contains("Signal"), "\(failure)")
        }
      }
      #expect(refused > 0)
    }
  }
}
