import Foundation
import Testing

@Suite("Links between pages")
struct LinkTests {
  @Test("Every relative link leads to a file or folder, and to a heading that is there", arguments: Repository.pages)
  func links(_ path: String) throws {
    let page = try Page(path)
    for (_, target) in page.links where !target.contains("://") {
      let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
      let file =
        parts[0].isEmpty
        ? path : (path.split(separator: "/").dropLast().map(String.init) + [String(parts[0])]).joined(separator: "/")
      let url = Repository.root.appendingPathComponent(file).standardized
      #expect(FileManager.default.fileExists(atPath: url.path), "\(path) leads to \(target)")
      if parts.count == 2, url.pathExtension == "md" {
        let relative = String(url.path.dropFirst(Repository.root.path.count + 1))
        let anchors = try Page(relative).anchors
        #expect(anchors.contains(String(parts[1])), "\(path) leads to \(target)")
      }
    }
  }

  @Test("A test that docs/guarantees.md names is in the file that it leads to")
  func guarantees() throws {
    let page = try Page("docs/guarantees.md")
    let tests = page.links.filter { $0.target.hasPrefix("../Tests/") && $0.target.hasSuffix(".swift") }
    #expect(tests.count >= 10)
    for (sentence, target) in tests {
      let source = try Repository.text(String(target.dropFirst("../".count)))
      #expect(source.contains("\"\(sentence)\""), "\(target) has no test \"\(sentence)\"")
    }
  }

  @Test("Every guarantee from G1 to G10 has its section")
  func sections() throws {
    let headings = try Page("docs/guarantees.md").prose.filter { $0.hasPrefix("## ") }
    for number in 1...10 { #expect(headings.contains { $0.hasPrefix("## G\(number) ") }) }
  }
}
