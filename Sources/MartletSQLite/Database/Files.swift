import Foundation
import Martlet

/// The few calls on files that SQLite doesn't make for us.
enum Files {
  /// Makes a file's contents durable.
  static func sync(_ path: String) throws {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { throw failure("opening", path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure("syncing", path) }
  }

  /// Makes durable that a file stands in its directory under its name.
  static func syncDirectory(of path: String) throws {
    let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
    try sync(directory.isEmpty ? "." : directory)
  }

  /// Gives a complete file its name, durably. A file of that name must not be there: nothing is written over.
  static func publish(_ temporary: String, as path: String) throws {
    try sync(temporary)
    guard !exists(path) else { throw StorageError(.unavailable, "\(path) exists already; choose another name, or move it away") }
    guard rename(temporary, path) == 0 else { throw failure("naming", path) }
    try syncDirectory(of: path)
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  static func size(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
  }

  /// The number of the process that has SQLite's lock on a file, where the system tells.
  ///
  /// Linux lists all locks with the numbers of their files. To ask by `fcntl` one would have to open the file, and closing it again would give up a lock
  /// that this process has.
  static func holder(of path: String) -> Int? {
    var status = stat()
    guard stat(path, &status) == 0, let locks = try? String(contentsOfFile: "/proc/locks", encoding: .utf8) else { return nil }
    for line in locks.split(separator: "\n") {
      // 1: POSIX  ADVISORY  WRITE 4711 fe:00:262147 1073741826 1073742335
      let fields = line.split(separator: " ")
      guard fields.count >= 8, fields[1] == "POSIX", fields[3] == "WRITE", fields[5].split(separator: ":").last == "\(status.st_ino)",
        let first = Int(fields[6]), first >= 1 << 30, first < 1 << 30 + 512
      else { continue }
      return Int(fields[4])
    }
    return nil
  }

  static func failure(_ doing: String, _ path: String) -> StorageError {
    let reason = String(cString: strerror(errno))
    return StorageError(errno == ENOSPC || errno == EIO ? .failed : .unavailable, "\(doing) \(path): \(reason)")
  }

  /// A write-ahead log that lies beside a new file would be taken for its own.
  static func requireNoStrayLog(beside path: String) throws {
    let log = path + "-wal"
    guard !exists(path), exists(log), size(log) > 0 else { return }
    throw StorageError(.unavailable, "\(log) is there, but \(path) is not: put the file back that belongs to it, or move the log away")
  }
}
