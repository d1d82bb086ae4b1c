/// The page of a year: HTML whose list items are events, `<li>July 20 – <a>Apollo 11</a> lands on the Moon.</li>`, up to the lists of births and
/// deaths, as an encyclopedia has it.
enum YearPage {
  static func events(in html: String) -> [String] {
    let end = [#"id="Births""#, #"id="Deaths""#].compactMap { html.firstRange(of: $0)?.lowerBound }.min() ?? html.endIndex
    var events: [String] = []
    for piece in html[..<end].split(separator: "<li", omittingEmptySubsequences: false).dropFirst() {
      guard let close = piece.firstIndex(of: ">") else { continue }
      let item = piece[piece.index(after: close)...]
      let text = withoutDate(plain(item[..<(item.firstRange(of: "</li>")?.lowerBound ?? item.endIndex)]))
      if !text.isEmpty { events.append(text) }
    }
    return events
  }

  /// Without tags and footnotes, and with single blanks.
  private static func plain(_ html: Substring) -> String {
    var text = ""
    var isTag = false
    for character in html {
      if character == "<" { isTag = true } else if character == ">" { isTag = false } else if !isTag { text.append(character) }
    }
    for (entity, character) in entities { text.replace(entity, with: character) }
    text.replace(#/\[\d+\]/#, with: "")
    return text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  private static let entities = [
    ("&nbsp;", " "), ("&#160;", " "), ("&ndash;", "–"), ("&#8211;", "–"), ("&quot;", "\""), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"),
  ]

  /// `July 20 – Apollo 11 lands` is an event on a date; the date would tell little, and isn't kept.
  private static func withoutDate(_ text: String) -> String {
    guard let match = text.prefixMatch(of: #/[A-Z][a-z]+ \d{1,2}(?:[–-]\d{1,2})? – /#) else { return text }
    return String(text[match.range.upperBound...])
  }
}
