import Foundation
import MartletTesting
import MartletValues
import Synchronization
import Testing

@testable import Martlet

@Suite("Relaxed durability")
struct RelaxedDurabilityTests {
  @Test("G2: under relaxed durability commits are synced in time however steadily they come")
  func syncsUnderSteadyLoad() throws {
    let disk = MemoryStorage.Disk()
    disk.setRowsBeforeCheckpoint(1 << 30)
    let log = ThreadedLogWriter(storage: MemoryStorage(disk), durability: .relaxed)
    var records = CommitRecordWriter()
    let clock = ContinuousClock()
    let start = clock.now
    var timestamp: UInt64 = 0
    // Without a pause: each batch follows the one before at once, as under load.
    while clock.now - start < .milliseconds(20 * ThreadedLogWriter.relaxedSyncMilliseconds) {
      timestamp += 1
      records.begin(timestamp: timestamp, wallClockMilliseconds: 0)
      records.delete(DocumentID(tableNumber: 10_001, high: 1, low: timestamp))
      records.end()
      let written = DispatchSemaphore(value: 0)
      log.write(records.takeBatch()!) { _ in written.signal() }
      written.wait()
    }
    // Twenty would be exact; a busy machine may be late.
    #expect(disk.count(.sync) >= 5)
    try log.close()
    #expect(disk.unsyncedRowCount == 0)
  }
}
