import Foundation

/// Reads lines from a terminal, each edited by a `LineEditor`. This is the part that knows the terminal; it decides nothing.
///
/// The keyboard is as usual between the lines, so that Ctrl-C is a signal for what runs then. Keys that were typed meanwhile belong to the next
/// line. What has to be said while a line is typed goes above it.
actor TerminalLineReader {
  private let terminal: Terminal
  private let output: TextSink
  private let keyboard = Keyboard()
  private var parser = KeyParser()
  /// Keys that came with the end of a line.
  private var waiting: [Key] = []
  private var typing: (editor: LineEditor, prompt: String)?

  init(_ terminal: Terminal, _ output: TextSink) {
    self.terminal = terminal
    self.output = output
  }

  enum Input: Hashable, Sendable {
    case line(String)
    /// Ctrl-C.
    case abandoned
    /// Ctrl-D, or there is no terminal any more.
    case end
  }

  func read(prompt: String, history: [String], complete: @escaping @Sendable (String) -> Completion) async throws -> Input {
    guard let mode = KeyboardMode(.keys) else { return .end }
    defer {
      keyboard.pause()
      mode.restore(discarding: false)
      typing = nil
    }
    typing = (LineEditor(history: history), prompt)
    try draw()
    keyboard.resume()
    while true {
      // Many keys at once, as a text that is pasted, are drawn once.
      var isDrawn = true
      while !waiting.isEmpty {
        if let input = try handle(waiting.removeFirst(), complete, &isDrawn) { return input }
      }
      if !isDrawn { try draw() }
      switch await keyboard.next() {
      case .bytes(let bytes): waiting += parser.keys(bytes)
      case .resized:
        mode.apply(.keys)
        try draw()
      case .closed: return .end
      }
    }
  }

  /// Writes lines above the one that is typed; false where none is.
  func say(_ text: String) throws -> Bool {
    guard typing != nil else { return false }
    try output.write("\r\u{1B}[J" + text)
    try draw()
    return true
  }

  /// Nil: the line goes on.
  private func handle(_ key: Key, _ complete: (String) -> Completion, _ isDrawn: inout Bool) throws -> Input? {
    guard typing != nil, let action = typing?.editor.handle(key, complete: complete) else { return .end }
    switch action {
    case .none: break
    case .draw: isDrawn = false
    case .bell: try output.write("\u{7}")
    case .clearScreen:
      try output.write("\u{1B}[H\u{1B}[2J")
      isDrawn = false
    case .list(let texts):
      // Below the line, which stays as it was typed.
      if !isDrawn { try draw() }
      try output.write("\n" + LineView.list(texts, columns: terminal.size().columns).map { "\r\($0)\n" }.joined())
      isDrawn = false
    case .submit(let line):
      if !isDrawn { try draw() }
      try output.write("\r\n")
      return .line(line)
    case .abandon:
      try output.write("^C\r\n")
      return .abandoned
    case .end:
      try output.write("\r\n")
      return .end
    }
    return nil
  }

  private func draw() throws {
    guard let typing else { return }
    try output.write(LineView(typing.editor, prompt: typing.prompt, columns: terminal.size().columns).drawing)
  }
}

/// What comes from the keyboard and the window, while lines are read.
private final class Keyboard: @unchecked Sendable {
  enum Event: Sendable {
    case bytes([UInt8])
    case resized
    case closed
  }

  // Unchecked, as the compiler doesn't know that Dispatch's sources may be used from anywhere. The iterator and the flag are their one reader's.
  private let input: any DispatchSourceRead
  private let window: any DispatchSourceSignal
  private var events: AsyncStream<Event>.Iterator
  private var isPaused = true

  init() {
    let (stream, continuation) = AsyncStream.makeStream(of: Event.self)
    events = stream.makeAsyncIterator()
    let queue = DispatchQueue(label: "martlet.keyboard")
    input = DispatchSource.makeReadSource(fileDescriptor: STDIN_FILENO, queue: queue)
    window = DispatchSource.makeSignalSource(signal: SIGWINCH, queue: queue)
    input.setEventHandler {
      var buffer = [UInt8](repeating: 0, count: 4_096)
      let count = Foundation.read(STDIN_FILENO, &buffer, buffer.count)
      if count > 0 {
        continuation.yield(.bytes(Array(buffer[..<count])))
      } else if count == 0 || errno != EINTR && errno != EAGAIN {
        continuation.yield(.closed)
      }
    }
    window.setEventHandler { continuation.yield(.resized) }
  }

  deinit {
    // A source that is paused can't be given up.
    if isPaused { resume() }
    input.cancel()
    window.cancel()
  }

  func resume() {
    isPaused = false
    input.resume()
    window.resume()
  }

  func pause() {
    isPaused = true
    input.suspend()
    window.suspend()
  }

  func next() async -> Event { await events.next() ?? .closed }
}
