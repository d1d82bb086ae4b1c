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
  func show(_ fraction: Double?, _ count: Int) {
    guard let sink, ContinuousClock.now - lastDrawing >= .milliseconds(100) else { return }
    lastDrawing = .now
    isShown = true
    try? sink.write("\r" + Self.line(title, fraction, count) + "\u{1B}[K")
  }

  static func line(_ title: String, _ fraction: Double?, _ count: Int) -> String {
    let documents = "\(count) \(count == 1 ? "document" : "documents")"
    guard let fraction else { return "\(title) … \(documents)" }
    let filled = Int((min(max(fraction, 0), 1) * 24).rounded(.down))
    let percent = Int((min(max(fraction, 0), 1) * 100).rounded(.down))
    return "\(title) ▕\(String(repeating: "█", count: filled))\(String(repeating: "░", count: 24 - filled))▏ \(percent) %, \(documents)"
  }

  func end() {
    guard isShown else { return }
    isShown = false
    try? sink?.write("\r\u{1B}[K")
  }
}
