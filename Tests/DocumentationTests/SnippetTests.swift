import Testing

/// The pages' Swift is compiled: it stands, word for word, in the files of `Snippets/`, which are part of this target.
@Suite("Swift in the pages")
struct SnippetTests {
  @Test(
    "Every block of Swift is compiled with these tests",
    arguments: ["README.md", "docs/functions.md", "docs/scheduling.md", "docs/metrics.md", "docs/from-convex.md"])
  func blocks(_ path: String) throws {
    let compiled = try [
      "Todos.swift", "Chat.swift", "Members.swift", "Reminders.swift", "Payments.swift", "SignIn.swift", "Monitored.swift", "Tested.swift",
      "FromConvex.swift", "FromConvexTested.swift",
    ]
      .map { words(try Repository.text("Tests/DocumentationTests/Snippets/\($0)")) }
    let blocks = try Page(path).blocks.filter { $0.language == "swift" && !isManifest($0) }
    #expect(!blocks.isEmpty)
    for block in blocks {
      // A block may be a whole file; what it imports stands at the top of the snippet's.
      let code = words(block.lines.filter { !$0.hasPrefix("import ") }.joined(separator: "\n"))
      #expect(compiled.contains { $0.contains(code) }, "\(path): not compiled:\n\(block.text)")
    }
  }

  @Test("A manifest in the README names a library that the package has")
  func manifest() throws {
    let manifest = try #require(try Page("README.md").blocks.first { $0.language == "swift" && isManifest($0) })
    let package = try Repository.text("Package.swift")
    let products = manifest.text.matches(of: #/product\(name: "(\w+)"/#).map { String($0.1) }
    #expect(!products.isEmpty)
    for product in products { #expect(package.contains(".library(name: \"\(product)\"")) }
    #expect(manifest.lines.first == package.split(separator: "\n").first.map(String.init), "the tools version differs")
  }

  /// Swift Package Manager's own file: no target can hold it.
  private func isManifest(_ block: Page.Block) -> Bool { block.lines.first?.hasPrefix("// swift-tools-version") == true }

  private func words(_ text: String) -> String { text.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
}
