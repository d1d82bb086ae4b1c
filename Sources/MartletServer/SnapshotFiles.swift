import Foundation
import Martlet
import MartletSQLite

/// A server's snapshots: files of one folder.
struct SnapshotFiles: SnapshotStore {
  let path: String

  func write(_ snapshot: DatabaseSnapshot, name: String?) throws -> SnapshotDescription {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let writer = try SnapshotWriter(
      directory: path, name: name ?? Self.name(at: snapshot.wallMilliseconds), timestamp: snapshot.timestamp,
      wallClockMilliseconds: snapshot.wallMilliseconds)
    for table in snapshot.tables {
      try writer.beginTable(table.layout.name, number: table.layout.number)
      try table.contents.forEachDocument {
        try writer.document($0.id, creationTime: $0.creationTime, json: $0.json)
      }
    }
    return Self.describe(try writer.finish())
  }

  func list() throws -> [SnapshotDescription] {
    try SnapshotDirectory(path: path).list().compactMap { entry in
      (try? entry.manifest.get()).map(Self.describe)
    }
  }

  private static func describe(_ manifest: SnapshotManifest) -> SnapshotDescription {
    SnapshotDescription(
      name: manifest.name, timestamp: manifest.timestamp, createdAt: manifest.createdMilliseconds,
      documents: manifest.documentCount, bytes: manifest.byteCount)
  }

  /// `2026-11-21T10-15-00Z`: sorts by time, and is a file's name everywhere.
  private static func name(at milliseconds: Double) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "UTC")
    formatter.dateFormat = "yyyy-MM-dd'T'HH-mm-ss.SSS'Z'"
    return formatter.string(from: Date(timeIntervalSince1970: milliseconds / 1000))
  }
}
