import ArgumentParser
import Foundation

/// What a file holds.
enum TransferFormat: String, ExpressibleByArgument, CaseIterable {
  case jsonl, json, csv, zip

  /// By the file's name; nil where that doesn't tell.
  init?(path: String) {
    switch path.split(separator: "/").last?.split(separator: ".").last?.lowercased() {
    case "jsonl", "ndjson": self = .jsonl
    case "json": self = .json
    case "csv": self = .csv
    case "zip": self = .zip
    default: return nil
    }
  }
}

/// A file or a standard stream, and its errors in words.
struct OpenFile: ~Copyable {
  let descriptor: Int32
  /// For a person.
  let name: String
  private let closes: Bool

  /// To be read; `-` is standard input.
  init(reading path: String) throws {
    closes = path != "-"
    name = path == "-" ? "standard input" : path
    descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileFailure("can't read \(path): \(String(cString: strerror(errno)))") }
    var status = stat()
    guard fstat(descriptor, &status) != 0 || status.st_mode & S_IFMT != S_IFDIR else { throw FileFailure("\(path) is a folder") }
  }

  deinit { if closes, descriptor >= 0 { close(descriptor) } }

  /// In bytes; nil for a pipe.
  var size: Int? {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(status.st_size)
  }
}

struct FileFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// A file that appears under its name when it is whole, and not before: it is written beside it, synced, and renamed.
final class NewFile {
  private let path: String
  private let temporaryPath: String
  private let descriptor: Int32
  private var isFinished = false

  init(_ path: String) throws {
    self.path = path
    temporaryPath = "\(path).\(getpid()).part"
    descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw FileFailure("can't write \(path): \(String(cString: strerror(errno)))") }
  }

  deinit {
    close(descriptor)
    if !isFinished { unlink(temporaryPath) }
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws {
    do { try TextSink.write(bytes, to: descriptor) } catch let error as OutputFailed {
      throw FileFailure("can't write \(path): \(String(cString: strerror(error.number)))")
    }
  }

  func finish() throws {
    guard fsync(descriptor) == 0, rename(temporaryPath, path) == 0 else {
      throw FileFailure("can't write \(path): \(String(cString: strerror(errno)))")
    }
    isFinished = true
    // The name is durable when its folder is.
    let folder = open(URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
    guard folder >= 0 else { return }
    fsync(folder)
    close(folder)
  }
}

/// A file without a name: it is gone when nobody has it open.
final class UnnamedFile {
  let descriptor: Int32

  init() throws {
    var template = Array((FileManager.default.temporaryDirectory.path + "/martlet-XXXXXX").utf8CString)
    descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw FileFailure("can't make a temporary file: \(String(cString: strerror(errno)))") }
    unlink(&template)
  }

  deinit { close(descriptor) }

  func write(_ bytes: UnsafeRawBufferPointer) throws {
    do { try TextSink.write(bytes, to: descriptor) } catch let error as OutputFailed {
      throw FileFailure("can't write a temporary file: \(String(cString: strerror(error.number)))")
    }
  }
}
