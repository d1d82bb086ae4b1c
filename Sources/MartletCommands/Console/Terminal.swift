import Foundation

/// A terminal that can be drawn on: what a live table is redrawn in. Where the output is a file or a pipe there is none.
struct Terminal: Sendable {
  struct Size: Hashable, Sendable {
    var rows: Int
    var columns: Int
  }

  var painter: Painter
  /// Now: a window changes its size.
  var size: @Sendable () -> Size
  /// Whether what is typed comes from a terminal too.
  var hasKeyboard: Bool

  /// Nil where standard output is no terminal, or one that says it is `dumb`.
  static func ofProcess(_ environment: [String: String]) -> Terminal? {
    guard isatty(STDOUT_FILENO) == 1, environment["TERM"] != "dumb", size(of: STDOUT_FILENO) != nil else { return nil }
    let forbidsColor = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
    return Terminal(
      painter: Painter(means: forbidsColor ? .weight : .color), size: { size(of: STDOUT_FILENO) ?? Size(rows: 24, columns: 80) },
      hasKeyboard: isatty(STDIN_FILENO) == 1)
  }

  static func size(of descriptor: Int32) -> Size? {
    guard isatty(descriptor) == 1 else { return nil }
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Size(rows: size.ws_row > 0 ? Int(size.ws_row) : 24, columns: Int(size.ws_col))
  }
}

/// How the terminal treats what is typed, while it is not as usual; `restore` makes it as it was.
struct KeyboardMode {
  private let usual: termios

  enum Kind {
    /// Nothing typed is shown, and Ctrl-C is a signal still: what is drawn stays as it was drawn.
    case quiet
    /// Every key is a byte or some, none is shown, none is a signal.
    case keys
  }

  /// Nil where standard input is no terminal.
  init?(_ kind: Kind) {
    var usual = termios()
    guard tcgetattr(STDIN_FILENO, &usual) == 0 else { return nil }
    self.usual = usual
    apply(kind)
  }

  /// Again, after the process was stopped by Ctrl-Z and goes on: who had the terminal meanwhile has set it otherwise.
  func apply(_ kind: Kind) {
    var mode = usual
    mode.c_lflag &= ~tcflag_t(ECHO | ICANON)
    if kind == .keys {
      mode.c_lflag &= ~tcflag_t(ISIG | IEXTEN)
      mode.c_iflag &= ~tcflag_t(ICRNL | IXON | ISTRIP)
    }
    _ = tcsetattr(STDIN_FILENO, TCSANOW, &mode)
  }

  /// - Parameter discarding: whether what was typed meanwhile is forgotten, and not read by who comes next.
  func restore(discarding: Bool) {
    var usual = usual
    _ = tcsetattr(STDIN_FILENO, discarding ? TCSAFLUSH : TCSADRAIN, &usual)
  }
}
