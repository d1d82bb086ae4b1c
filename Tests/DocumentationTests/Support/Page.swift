/// A page of documentation, as far as these tests look into Markdown: fenced blocks, headings, links.
struct Page {
  struct Block {
    var language: String
    /// What an HTML comment right before it says: `run: nc` of `<!-- run: nc -->`.
    var mark: String?
    var lines: [String]
    var text: String { lines.joined(separator: "\n") }
  }

  let path: String
  private(set) var blocks: [Block] = []
  /// Outside of blocks.
  private(set) var prose: [String] = []

  init(_ path: String) throws {
    self.path = path
    var open: Block?
    var mark: String?
    for line in try Repository.text(path).split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if line.hasPrefix("```") {
        if let block = open {
          blocks.append(block)
          open = nil
        } else {
          open = Block(language: String(line.dropFirst(3)), mark: mark, lines: [])
          mark = nil
        }
      } else if open != nil {
        open!.lines.append(line)
      } else {
        mark = line.wholeMatch(of: #/<!-- (.*) -->/#).map { String($0.1) }
        prose.append(line)
      }
    }
    guard open == nil else { throw Failure("\(path): a block isn't closed") }
  }

  /// The prose and blocks under a heading, up to the next one of its level or above; nil where there is no such heading.
  static func section(_ heading: String, of path: String) throws -> String? {
    let level = heading.prefix { $0 == "#" }.count
    var lines: [Substring]?
    for line in try Repository.text(path).split(separator: "\n", omittingEmptySubsequences: false) {
      if line == heading {
        lines = []
      } else if lines != nil, line.hasPrefix("#"), line.prefix(while: { $0 == "#" }).count <= level {
        break
      } else {
        lines?.append(line)
      }
    }
    return lines?.joined(separator: "\n")
  }

  /// A link's text may be broken into lines.
  var links: [(text: String, target: String)] {
    prose.joined(separator: "\n").matches(of: #/\[([^\]]*)\]\(([^)\s]+)\)/#).map { match in
      (match.1.split(whereSeparator: \.isWhitespace).joined(separator: " "), String(match.2))
    }
  }

  /// As GitHub names the headings: lower case, blanks as hyphens, no punctuation.
  var anchors: Set<String> {
    Set(
      prose.filter { $0.hasPrefix("#") }.map { heading in
        heading.drop { $0 == "#" || $0 == " " }.lowercased()
          .filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_" }
          .replacing(" ", with: "-")
      })
  }
}
