import Foundation
import Martlet

/// A data file, open for reading, with the lock that SQLite's readers have: while it is held no server starts on the file, and where one runs it is
/// not to be had.
struct DataFileLock {
  let descriptor: Int32
  /// SQLite's range for readers (https://www.sqlite.org/fileformat2.html#the_lock_byte_page).
  private static let range = (start: 1 << 30 + 2, length: 510)

  init(_ path: String) throws {
    descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { throw Files.failure("opening", path) }
    var lock = flock()
    lock.l_type = Int16(F_RDLCK)
    lock.l_whence = Int16(SEEK_SET)
    lock.l_start = off_t(Self.range.start)
    lock.l_len = off_t(Self.range.length)
    guard fcntl(descriptor, F_SETLK, &lock) != -1 else {
      let holder = Files.holder(of: path).map { ", number \($0)" } ?? ""
      Foundation.close(descriptor)
      throw StorageError(.locked, "\(path) is in use by another process\(holder); stop that server first")
    }
  }

  func close() { Foundation.close(descriptor) }
}
