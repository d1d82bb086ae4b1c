import Foundation
import Martlet

/// The snapshots of a directory.
package struct SnapshotDirectory: Sendable {
  package struct Entry: Sendable {
    package var name: String
    package var byteCount: Int
    /// What it says about itself, or why it can't be read. Its documents are not read: `SnapshotReader.verify` does that.
    package var manifest: Result<SnapshotManifest, StorageError>
  }

  package var path: String

  package init(path: String) { self.path = path }

  /// All of them, oldest first; those that can't be read come last. A directory that is not there has none.
  package func list() throws -> [Entry] {
    guard Files.exists(path) else { return [] }
    let files: [String]
    do { files = try FileManager.default.contentsOfDirectory(atPath: path) } catch {
      throw StorageError(.unavailable, "\(path) can't be read; snapshots are kept in a directory", cause: error)
    }
    let entries = files.sorted().filter { $0.hasSuffix(SnapshotFormat.fileSuffix) && !$0.hasPrefix(".") }.map { file in
      let manifest = Result { try SnapshotReader(path: path + "/" + file).manifest }
      return Entry(
        name: String(file.dropLast(SnapshotFormat.fileSuffix.count)), byteCount: Files.size(path + "/" + file),
        manifest: manifest.mapError { StorageError($0, path: path + "/" + file, doing: "reading the snapshot") })
    }
    return entries.sorted { Self.timestamp($0) < Self.timestamp($1) }
  }

  /// Removes a snapshot. Throws `StorageError.unavailable` if there is none of this name.
  package func delete(_ name: String) throws {
    let file = try SnapshotFormat.path(of: name, in: path)
    guard Files.exists(file) else { throw StorageError(.unavailable, "there is no snapshot \"\(name)\" in \(path)") }
    guard unlink(file) == 0 else { throw Files.failure("removing", file) }
    try Files.syncDirectory(of: file)
  }

  private static func timestamp(_ entry: Entry) -> UInt64 {
    (try? entry.manifest.get().timestamp) ?? .max
  }
}
