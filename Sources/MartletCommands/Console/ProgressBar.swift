import Foundation

/// A line that says how far something is, drawn over itself on standard error; nothing where that is no terminal.
///
/// It is drawn ten times a second at most.
final class ProgressBar {
  private let sink: TextSink?
  private let title: String
  private var lastDrawing = ContinuousClock.now - .seconds(1)
  private var isShown = false

  init(_ title: String, _ console: Console) {
    self.title = title
    sink = console.progress
  }

  /// - Parameters:
  ///   - fraction: of 1; nil where nobody knows how much there is.
  ///   - count: documents.
  func show(_ fraction: Double?, _ count: Int) { show(Self.line(title, fraction, count)) }

  /// The same with a line of the caller's.
  func show(_ line: @autoclosure () -> String) {
    guard let sink, ContinuousClock.now - lastDrawing >= .milliseconds(100) else { return }
    lastDrawing = .now
    isShown = true
    try? sink.write("\r" + line() + "\u{1B}[K")
  }

  static func line(_ title: String, _ fraction: Double?, _ count: Int) -> String {
    let documents = "\(count) \(count == 1 ? "document" : "documents")"
    guard let fraction else { return "\(title) … \(documents)" }
    return "\(title) \(bar(fraction)), \(documents)"
  }

  private static let cells = 24

  /// `▕██████░░░░░░░░░░░░░░░░░░▏ 25 %`
  static func bar(_ fraction: Double) -> String {
    let part = min(max(fraction, 0), 1)
    let filled = Int((part * Double(cells)).rounded(.down))
    return "▕\(String(repeating: "█", count: filled))\(String(repeating: "░", count: cells - filled))▏ \(Int((part * 100).rounded(.down))) %"
  }

  func end() {
    guard isShown else { return }
    isShown = false
    try? sink?.write("\r\u{1B}[K")
  }
}
