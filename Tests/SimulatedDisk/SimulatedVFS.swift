import Foundation
import GRDBSQLite
import Synchronization

/// What SQLite calls instead of the operating system: a table of C functions, each of which hands over to the disk.
///
/// It has no shared memory, so a write-ahead log works with `locking_mode = EXCLUSIVE` only, which is how Martlet uses it.
final class SimulatedVFS {
  private static let count = Mutex(0)
  static func nextName() -> String { count.withLock { $0 += 1; return "simulated-\($0)" } }

  /// An open file; SQLite owns it, from opening to closing.
  final class OpenFile {
    unowned let disk: SimulatedDisk
    let name: String
    /// A file that was open when the power went is nobody's any more.
    let generation: Int
    let isRemovedAtEnd: Bool

    init(_ disk: SimulatedDisk, _ name: String, isRemovedAtEnd: Bool) {
      self.disk = disk
      self.name = name
      self.isRemovedAtEnd = isRemovedAtEnd
      generation = disk.generation
    }

    var isValid: Bool { disk.generation == generation }
  }

  /// What SQLite allocates for a file: its own part first.
  struct Handle {
    var base: sqlite3_file
    var file: Unmanaged<OpenFile>?
  }

  private let vfs: UnsafeMutablePointer<sqlite3_vfs>

  init(_ disk: SimulatedDisk) {
    vfs = .allocate(capacity: 1)
    var table = sqlite3_vfs()
    table.iVersion = 1
    table.szOsFile = Int32(MemoryLayout<Handle>.size)
    table.mxPathname = 512
    table.zName = UnsafePointer(strdup(disk.name))
    table.pAppData = Unmanaged.passUnretained(disk).toOpaque()
    table.xOpen = { vfs, name, file, flags, outFlags in
      let disk = SimulatedVFS.disk(vfs)
      let handle = UnsafeMutableRawPointer(file!).assumingMemoryBound(to: Handle.self)
      handle.pointee = Handle(base: sqlite3_file(pMethods: nil), file: nil)
      let path = name.map { String(cString: $0) } ?? "temporary"
      let code = disk.open(path, creating: flags & SQLITE_OPEN_CREATE != 0)
      guard code == SQLITE_OK else { return code }
      let open = OpenFile(disk, path, isRemovedAtEnd: flags & SQLITE_OPEN_DELETEONCLOSE != 0)
      handle.pointee = Handle(base: sqlite3_file(pMethods: SimulatedVFS.methods), file: .passRetained(open))
      outFlags?.pointee = flags
      return SQLITE_OK
    }
    table.xDelete = { vfs, name, durably in SimulatedVFS.disk(vfs).delete(String(cString: name!), durably: durably != 0) }
    table.xAccess = { vfs, name, _, result in
      result!.pointee = SimulatedVFS.disk(vfs).fileExists(String(cString: name!)) ? 1 : 0
      return SQLITE_OK
    }
    table.xFullPathname = { _, name, count, output in
      let bytes = Int(strlen(name!)) + 1
      guard bytes <= Int(count) else { return SQLITE_CANTOPEN }
      memcpy(output!, name!, bytes)
      return SQLITE_OK
    }
    let system = sqlite3_vfs_find(nil)!.pointee
    table.xRandomness = system.xRandomness
    table.xSleep = system.xSleep
    table.xCurrentTime = system.xCurrentTime
    table.xGetLastError = { _, _, _ in 0 }
    vfs.initialize(to: table)
    precondition(sqlite3_vfs_register(vfs, 0) == SQLITE_OK)
  }

  /// No connection may be open on it any more.
  func unregister() {
    sqlite3_vfs_unregister(vfs)
    free(UnsafeMutableRawPointer(mutating: vfs.pointee.zName))
    vfs.deallocate()
  }

  private static func disk(_ vfs: UnsafeMutablePointer<sqlite3_vfs>?) -> SimulatedDisk {
    Unmanaged<SimulatedDisk>.fromOpaque(vfs!.pointee.pAppData).takeUnretainedValue()
  }

  private static func with(
    _ file: UnsafeMutablePointer<sqlite3_file>?, _ otherwise: Int32, _ body: (SimulatedDisk, String) -> Int32
  ) -> Int32 {
    let open = UnsafeMutableRawPointer(file!).assumingMemoryBound(to: Handle.self).pointee.file!.takeUnretainedValue()
    return open.isValid ? body(open.disk, open.name) : otherwise
  }

  // Sound: written before it is published, once, and only read from then on.
  private nonisolated(unsafe) static let methods: UnsafePointer<sqlite3_io_methods> = {
    var table = sqlite3_io_methods()
    table.iVersion = 1
    table.xClose = { file in
      let handle = UnsafeMutableRawPointer(file!).assumingMemoryBound(to: Handle.self)
      let open = handle.pointee.file!.takeRetainedValue()
      handle.pointee.file = nil
      if open.isRemovedAtEnd, open.isValid { _ = open.disk.delete(open.name, durably: true) }
      return SQLITE_OK
    }
    table.xRead = { file, buffer, count, offset in
      with(file, SQLITE_IOERR_READ) {
        $0.read($1, into: UnsafeMutableRawBufferPointer(start: buffer, count: Int(count)), at: Int(offset))
      }
    }
    table.xWrite = { file, buffer, count, offset in
      with(file, SQLITE_IOERR_WRITE) { $0.write($1, UnsafeRawBufferPointer(start: buffer, count: Int(count)), at: Int(offset)) }
    }
    table.xTruncate = { file, size in with(file, SQLITE_IOERR_TRUNCATE) { $0.truncate($1, to: Int(size)) } }
    table.xSync = { file, _ in with(file, SQLITE_IOERR_FSYNC) { $0.sync($1) } }
    table.xFileSize = { file, size in
      with(file, SQLITE_IOERR_FSTAT) {
        size!.pointee = Int64($0.size(of: $1))
        return SQLITE_OK
      }
    }
    table.xLock = { _, _ in SQLITE_OK }
    table.xUnlock = { _, _ in SQLITE_OK }
    table.xCheckReservedLock = { _, result in
      result!.pointee = 0
      return SQLITE_OK
    }
    table.xFileControl = { _, _, _ in SQLITE_NOTFOUND }
    table.xSectorSize = { _ in 4096 }
    table.xDeviceCharacteristics = { _ in SQLITE_IOCAP_POWERSAFE_OVERWRITE }
    let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
    methods.initialize(to: table)
    return UnsafePointer(methods)
  }()
}
