import Foundation

/// What was typed before, in a file: a line each, the oldest first.
///
/// - 1,000 lines are kept. A line that is the last one again is not kept twice; one that begins with a blank, or holds a secret, is not kept.
/// - Only its owner can read the file.
/// - A line is appended when it is typed, so several shells share a file, and a shell that is killed loses nothing. It is cut when a shell begins.
/// - A file that can't be read or written is no reason not to type: the lines are kept in memory then.
struct LineHistory: Sendable {
  static let limit = 1_000

  private(set) var lines: [String] = []
  private let path: String?

  /// - Parameter path: nil: only in memory.
  init(path: String?) {
    self.path = path
    guard let path, let text = try? String(contentsOfFile: path, encoding: .utf8) else { return }
    let all = text.split(separator: "\n").map(String.init)
    lines = all.suffix(Self.limit)
    if all.count > Self.limit { shorten(path) }
  }

  /// `martlet/history` in the folder that `XDG_STATE_HOME` names, or else `.martlet_history` at home.
  static func path(_ environment: [String: String]) -> String? {
    if let folder = environment["XDG_STATE_HOME"], folder.hasPrefix("/") { return folder + "/martlet/history" }
    return environment["HOME"].map { $0 + "/.martlet_history" }
  }

  mutating func add(_ line: String) {
    guard !line.allSatisfy(\.isWhitespace), line.first != " ", line != lines.last, !line.contains("--token"), !line.contains("\n") else { return }
    lines.append(line)
    if lines.count > Self.limit { lines.removeFirst() }
    if let path { Self.append(line + "\n", to: path) }
  }

  private static func append(_ text: String, to path: String) {
    let folder = (path as NSString).deletingLastPathComponent
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    try? TextSink.file(descriptor).write(text)
  }

  /// By another file that takes its place, so that nobody ever sees half of it.
  private func shorten(_ path: String) {
    let other = "\(path).\(getpid())"
    Self.append(lines.map { $0 + "\n" }.joined(), to: other)
    if rename(other, path) != 0 { unlink(other) }
  }
}
