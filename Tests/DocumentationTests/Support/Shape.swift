/// What two outputs of the same command have in common: ids, times, timestamps, addresses and widths differ from run to run.
enum Shape {
  static func of(_ line: String) -> String {
    var line = line
    line.replace(#/ --url martlet://\S+/#, with: "")
    line.replace(#/\b[0-9a-hjkmnp-tv-z]{31,37}\b/#, with: "<id>")
    line.replace(#/\d{4}-\d\d-\d\dT[\d:.]+Z/#, with: "<time>")
    line.replace(#/"_creationTime":[\d.]+/#, with: #""_creationTime":<time>"#)
    line.replace(#/timestamp \d+/#, with: "timestamp <timestamp>")
    line.replace(#/^synced \d+/#, with: "synced <timestamp>")
    line.replace(#/^(ok \S+) \d+/#) { "\($0.1) <timestamp>" }
    line.replace(#/127\.0\.0\.1:\d+/#, with: "<address>")
    line.replace(#/[\d,]+ documents/#, with: "<count> documents")
    line.replace(#/ in(to)? \S+\.sqlite/#, with: " in <file>")
    line.replace(#/─+/#, with: "─")
    line.replace(#/ +/#, with: " ")
    while line.last == " " { line.removeLast() }
    return line
  }

  static func of(_ lines: [String]) -> [String] { lines.map { of($0) } }
}
