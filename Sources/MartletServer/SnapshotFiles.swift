import Foundation
import Martlet
import MartletSQLite
import Synchronization

/// A server's snapshots: files of one folder.
///
/// They are written one after another: two of one name would write the same file before it has that name.
final class SnapshotFiles: SnapshotStore {
  private let path: String
  private let writing = Mutex(())

  init(path: String) { self.path = path }

  func write(_ snapshot: DatabaseSnapshot, _ name: SnapshotName, progress: (Int) -> Void) throws -> SnapshotDescription {
    try writing.withLock { _ in try writeAlone(snapshot, name, progress) }
  }

  private func writeAlone(_ snapshot: DatabaseSnapshot, _ name: SnapshotName, _ progress: (Int) -> Void) throws -> SnapshotDescription {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let writer: SnapshotWriter
    do {
      let text =
        switch name {
        case .named(let name): name
        case .timed(let prefix): try freeName(prefix, at: snapshot.wallMilliseconds)
        }
      writer = try SnapshotWriter(
        directory: path, name: text, timestamp: snapshot.timestamp,
        wallClockMilliseconds: snapshot.wallMilliseconds)
    } catch let error as StorageError where error.code == .unavailable {
      // The name is the caller's: it is taken, or can't be a file's.
      throw ApplicationError(error.message)
    }
    var written = 0
    for table in snapshot.tables {
      try writer.beginTable(table.layout.name, number: table.layout.number)
      try table.contents.forEachDocument {
        try writer.document($0.id, creationTime: $0.creationTime, json: $0.json)
        written += 1
        if written % 1_024 == 0 { progress(written) }
      }
    }
    return Self.describe(try writer.finish())
  }

  func list() throws -> [SnapshotDescription] {
    try SnapshotDirectory(path: path).list().compactMap { entry in
      (try? entry.manifest.get()).map(Self.describe)
    }
  }

  func read(_ name: String, into sink: inout some RecoverySink) throws -> SnapshotDescription {
    let reader = try name.hasPrefix("/") ? SnapshotReader(path: name) : SnapshotReader(directory: path, name: name)
    try reader.forEachDocument { try sink.document($1, creationTime: $2, json: $3) }
    try sink.finished(lastTimestamp: reader.manifest.timestamp)
    return Self.describe(reader.manifest)
  }

  func delete(_ name: String) throws {
    do { try SnapshotDirectory(path: path).delete(name) } catch let error as StorageError where error.code == .unavailable {
      throw ApplicationError(error.message)
    }
  }

  private static func describe(_ manifest: SnapshotManifest) -> SnapshotDescription {
    SnapshotDescription(
      name: manifest.name, timestamp: manifest.timestamp, createdAt: manifest.createdMilliseconds,
      documents: manifest.documentCount, bytes: manifest.byteCount)
  }

  /// The time, and a number behind it where a snapshot of that very millisecond is there already.
  private func freeName(_ prefix: String, at milliseconds: Double) throws -> String {
    let time = prefix + Self.name(at: milliseconds)
    let taken = Set(try SnapshotDirectory(path: path).list().map(\.name))
    guard taken.contains(time) else { return time }
    return (2...).lazy.map { "\(time)-\($0)" }.first { !taken.contains($0) }!
  }

  /// `2026-11-21T10-15-00.000Z`: sorts by time, and is a file's name everywhere.
  private static func name(at milliseconds: Double) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "UTC")
    formatter.dateFormat = "yyyy-MM-dd'T'HH-mm-ss.SSS'Z'"
    return formatter.string(from: Date(timeIntervalSince1970: milliseconds / 1000))
  }
}
