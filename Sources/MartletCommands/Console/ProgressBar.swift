import MartletClient

/// A line of a terminal that is drawn again as long as something goes on; nothing where there is no terminal.
struct ProgressBar {
  private static let cells = 24

  /// `snapshot monday  ████████████░░░░░░░░░░░░  50 %  12,000 of 24,000 documents`
  static func text(of work: Value) -> String {
    let done = work["documents"]?.number ?? 0
    let total = work["of"]?.number ?? 0
    let title = [work["kind"]?.text ?? "", CellText(work["name"] ?? "").text].filter { !$0.isEmpty }.joined(separator: " ")
    guard total > 0 else { return "\(title)  \(Int(done).grouped) documents" }
    let part = min(1, done / total)
    let full = Int(part * Double(cells))
    let bar = String(repeating: "█", count: full) + String(repeating: "░", count: cells - full)
    return "\(title)  \(bar)  \(Int(part * 100)) %  \(Int(done).grouped) of \(Int(total).grouped) documents"
  }
}

extension ClientCommand {
  /// Does something that the server takes its time for, and shows meanwhile how far it is.
  func showingProgress<Answer: Sendable>(
    _ kinds: Set<String>, of client: MartletClient, _ context: CommandContext, _ body: @escaping @Sendable () async throws -> Answer
  ) async throws -> Answer {
    let console = context.console
    guard console.terminal != nil, !wantsJSON else { return try await body() }
    let drawing = Task {
      for try await update in client.subscribe("_system:progress").updates {
        guard let work = try? update.result.get().elements.last(where: { kinds.contains($0["kind"]?.text ?? "") }) else { continue }
        try console.output.write("\r\u{1B}[K" + ProgressBar.text(of: work))
      }
    }
    let answer: Result<Answer, any Error>
    do { answer = .success(try await body()) } catch { answer = .failure(error) }
    drawing.cancel()
    _ = await drawing.result
    try console.output.write("\r\u{1B}[K")
    return try answer.get()
  }
}
