import Foundation

/// The project's own files, found from where this file was when it was compiled.
enum Repository {
  static let root = URL(fileURLWithPath: #filePath).standardized
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  /// Paths from the root of every page: `*.md` there, and those of the folders that have some.
  static let pages: [String] = {
    var pages = entries(of: "").filter { $0.hasSuffix(".md") }
    for folder in ["docs", "Benchmarks", "Sources", "Tests"] { collect(folder, into: &pages) }
    return pages.sorted()
  }()

  private static func collect(_ folder: String, into pages: inout [String]) {
    for name in entries(of: folder) where !name.hasPrefix(".") {
      let path = "\(folder)/\(name)"
      if name.hasSuffix(".md") { pages.append(path) } else { collect(path, into: &pages) }
    }
  }

  /// Nothing for what is no folder.
  private static func entries(of folder: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent(folder).path)) ?? []
  }
}

/// Why a test can't go on.
struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
