import Foundation
import GRDBSQLite

/// The bytes of a file, read at any place; what lies beyond its end is missing from the answer.
struct FileBytes {
  let name: String
  let size: Int
  let read: (_ offset: Int, _ count: Int) -> [UInt8]

  init(name: String, size: Int, read: @escaping (Int, Int) -> [UInt8]) {
    self.name = name
    self.size = size
    self.read = read
  }

  /// Of a file that SQLite has open. To open it once more and close it again would give up the process's locks on it.
  init?(name: String, of handle: OpaquePointer, _ pointer: Int32) {
    var file: UnsafeMutablePointer<sqlite3_file>?
    guard sqlite3_file_control(handle, "main", pointer, &file) == SQLITE_OK, let file, let methods = file.pointee.pMethods else { return nil }
    var size: Int64 = 0
    guard methods.pointee.xFileSize(file, &size) == SQLITE_OK else { return nil }
    self.init(name: name, size: Int(size)) { offset, count in
      var bytes = [UInt8](repeating: 0, count: max(0, min(count, Int(size) - offset)))
      guard !bytes.isEmpty else { return [] }
      let code = bytes.withUnsafeMutableBytes { methods.pointee.xRead(file, $0.baseAddress, Int32($0.count), Int64(offset)) }
      return code == SQLITE_OK ? bytes : []
    }
  }

  /// Of a descriptor, which must stay open.
  init(name: String, descriptor: Int32) {
    var status = stat()
    self.init(name: name, size: fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0) { offset, count in
      var bytes = [UInt8](repeating: 0, count: max(0, count))
      let read = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
      // A sector that the disk can't read is as good as zeros: what was in it is lost, and checksums tell.
      if read < 0 { return bytes }
      bytes.removeSubrange(max(0, read)...)
      return bytes
    }
  }
}
