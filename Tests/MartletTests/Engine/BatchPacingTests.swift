import MartletTesting
import MartletValues
import Testing

@testable import Martlet

@Suite("When a batch is sealed")
struct BatchPacingTests {
  /// Pacing after a batch that was sealed `cycle` after the one before, and took the disk `disk`; in microseconds. The release is at 0.
  static func pacing(cycle: UInt64, disk: UInt64, released: Int, waiting: Int = 0) -> Paced {
    var pacing = BatchPacing()
    pacing.noteSealed(at: start - (cycle + disk) * 1_000)
    pacing.noteSealed(at: start - disk * 1_000)
    pacing.noteReleased(released, waiting: waiting, diskDone: start, now: start)
    return Paced(pacing)
  }

  /// What `#expect` may ask though the answer changes it.
  final class Paced {
    var pacing: BatchPacing

    init(_ pacing: BatchPacing) { self.pacing = pacing }

    func keepsOpen(waiting: Int, bytes: Int = 400, now: UInt64 = BatchPacingTests.start) -> Bool {
      pacing.keepsOpen(waiting: waiting, bytes: bytes, now: now)
    }

    func isFull(waiting: Int, bytes: Int = 400) -> Bool { pacing.isFull(waiting: waiting, bytes: bytes) }
  }

  static let start: UInt64 = 1_000_000_000_000
  static let patience = BatchPacing.patienceNanoseconds

  @Test("A client that is alone, or one of two, waits for nobody, on any disk", arguments: [1, 50, 100, 10_000] as [UInt64])
  func few(disk: UInt64) {
    for cycle in [disk, disk + 1, 2 * disk, 1_000 * disk] {
      for (released, waiting) in [(1, 0), (1, 1), (2, 0)] {
        let pacing = Self.pacing(cycle: cycle, disk: disk, released: released, waiting: waiting)
        #expect(!pacing.keepsOpen(waiting: waiting + 1))
      }
    }
  }

  @Test("On a disk that is slower than its clients a batch is sealed at once")
  func slowDisk() {
    var pacing = Self.pacing(cycle: 1_000, disk: 1_000, released: 32, waiting: 32)
    #expect(!pacing.keepsOpen(waiting: 33))
    // The engine learns late that the disk was done.
    pacing = Self.pacing(cycle: 1_000, disk: 1_400, released: 32, waiting: 32)
    #expect(!pacing.keepsOpen(waiting: 33))
  }

  @Test("On a fast disk it is kept open until those who are missing have as much to do as the disk")
  func fastDisk() {
    let pacing = Self.pacing(cycle: 1_000, disk: 125, released: 31, waiting: 33)
    #expect(pacing.pacing.fullCount == 56)
    #expect(!pacing.isFull(waiting: 55) && pacing.isFull(waiting: 56))
    for waiting in 34..<56 { #expect(pacing.keepsOpen(waiting: waiting)) }
    #expect(!pacing.keepsOpen(waiting: 56))
    pacing.pacing.noteSealed(at: Self.start)
    #expect(!pacing.keepsOpen(waiting: 1) && !pacing.isFull(waiting: 64))
  }

  @Test("It is kept open only while more clients come")
  func patience() {
    var pacing = Self.pacing(cycle: 1_000, disk: 100, released: 64)
    #expect(pacing.keepsOpen(waiting: 1, now: Self.start + 10 * Self.patience))
    #expect(pacing.keepsOpen(waiting: 1, now: Self.start + 11 * Self.patience - 1))
    #expect(pacing.keepsOpen(waiting: 2, now: Self.start + 11 * Self.patience))
    #expect(!pacing.keepsOpen(waiting: 2, now: Self.start + 12 * Self.patience))
    #expect(!pacing.keepsOpen(waiting: 3, now: Self.start + 12 * Self.patience), "once given up, not again")

    pacing = Self.pacing(cycle: 1_000, disk: 100, released: 64)
    pacing.pacing.noteLook(waiting: 2, before: 1)
    #expect(pacing.keepsOpen(waiting: 2))
    pacing.pacing.noteLook(waiting: 2, before: 2)
    #expect(!pacing.keepsOpen(waiting: 3))
  }

  @Test("A batch that is large, or was kept open for long, is kept open no more")
  func bounds() {
    let pacing = Self.pacing(cycle: 1_000, disk: 100, released: 64)
    #expect(pacing.isFull(waiting: 1, bytes: BatchPacing.mostBytes))
    #expect(!pacing.keepsOpen(waiting: 1, bytes: BatchPacing.mostBytes, now: Self.start))
    for (waiting, time) in zip(1..., stride(from: 0, to: BatchPacing.mostNanoseconds, by: 50_000)) {
      #expect(pacing.keepsOpen(waiting: waiting, now: Self.start + time))
    }
    #expect(!pacing.keepsOpen(waiting: 50, now: Self.start + BatchPacing.mostNanoseconds))
  }

  /// A server whose eight clients were just released by a batch that took the disk a tenth of the time since the one before.
  private static func released(_ watching: String? = nil) throws -> (EngineHarness, [InProcessClient]) {
    let server = try EngineHarness.counters(["a": 0], pace: .byHand)
    server.clock.nanosecondsPerReading = 0
    let clients = (0..<8).map { _ in server.connect() }
    if let watching { clients[0].send("subscribe s \(watching)") }
    server.run()
    server.clock.advance(nanoseconds: 1_000_000)
    for client in clients { client.send(#"mutation 1 counters:add {"name":"a","amount":1}"#) }
    server.run()
    server.clock.advance(nanoseconds: 100_000)
    server.log.complete()
    server.host.turn()
    for client in clients { #expect(client.take().contains { $0.kind == .ok }) }
    return (server, clients)
  }

  private static func add(_ client: InProcessClient) { client.send(#"mutation 2 counters:add {"name":"a","amount":1}"#) }

  @Test("Clients that a batch has released are in the next one together, which is sealed as soon as it is full")
  func together() throws {
    let (server, clients) = try Self.released()
    let before = server.log.batchCount
    for client in clients.prefix(6) {
      Self.add(client)
      server.host.turn()
      #expect(server.log.writing == nil)
    }
    Self.add(clients[6])
    #expect(server.log.writing?.commitCount == 7, "the eighth keeps the engine busy meanwhile")
    Self.add(clients[7])
    server.run()
    #expect(server.log.batchCount == before + 1)
    #expect(clients.allSatisfy { $0.take().isEmpty })
    server.completeBatch()
    #expect(clients.map { $0.take().count } == [1, 1, 1, 1, 1, 1, 1, 0])
    server.completeBatch()
    #expect(clients[7].takeText() == ["ok 2 18 16"])
  }

  @Test("A batch whose other clients don't come is sealed without them")
  func alone() throws {
    let (server, clients) = try Self.released()
    Self.add(clients[3])
    server.host.turn()
    #expect(server.log.writing == nil)
    server.run()
    #expect(server.log.writing?.commitCount == 1)
    server.completeBatch()
    #expect(clients[3].takeText() == ["ok 2 11 9"])
  }

  @Test("A batch that a live query waits for is sealed at the end of the turn")
  func watched() throws {
    let (server, clients) = try Self.released(#"counters:value {"name":"a"}"#)
    Self.add(clients[3])
    server.host.turn()
    #expect(server.log.writing?.commitCount == 1)
    server.completeBatch()
    #expect(clients[0].take().contains { $0.description == "update s 9" })
  }
}
