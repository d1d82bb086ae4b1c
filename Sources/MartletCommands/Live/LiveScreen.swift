import Foundation
import MartletClient

/// A live view on the terminal. Updates, the connection's changes and the window's come from tasks of their own; each is drawn, one after another.
actor LiveScreen {
  private var view: LiveView
  private var redraw = TerminalRedraw()
  private let terminal: Terminal
  private let output: TextSink
  private let keyboard: KeyboardMode?
  private var number = 0

  /// More drawings than this in a second nobody sees. Updates that come meanwhile are met by the subscription, which keeps the newest.
  static let pause = Duration.milliseconds(30)

  init(_ view: LiveView, _ terminal: Terminal, _ output: TextSink) {
    self.view = view
    self.terminal = terminal
    self.output = output
    keyboard = KeyboardMode(.quiet)
  }

  /// Returns how many updates there have been.
  func take(_ update: Update<Value>) throws -> Int {
    number += 1
    view.take(update, number: number, time: Self.timeOfDay())
    try draw()
    return number
  }

  func take(_ state: ConnectionState) throws {
    guard state != view.state else { return }
    view.state = state
    try draw()
  }

  /// The window has another size, or another program had it.
  func drawAgain() throws {
    keyboard?.apply(.quiet)
    try draw()
  }

  /// The last drawing stays.
  func end() {
    try? output.write(TerminalRedraw.tidy)
    keyboard?.restore(discarding: true)
  }

  private func draw() throws {
    let size = terminal.size()
    try output.write(redraw.draw(view.lines(size, terminal.painter), columns: size.columns))
  }

  private static func timeOfDay() -> String {
    var now = time(nil)
    var local = tm()
    localtime_r(&now, &local)
    return [local.tm_hour, local.tm_min, local.tm_sec].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
  }
}
