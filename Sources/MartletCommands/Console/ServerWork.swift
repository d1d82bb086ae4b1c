import MartletClient

/// What a server is at that takes its time, as a line: a snapshot, a restore.
enum ServerWork {
  /// `snapshot monday ▕████████████░░░░░░░░░░░░▏ 50 %, 12,000 of 24,000 documents`
  static func line(of work: Value) -> String {
    let done = work["documents"]?.number ?? 0
    let total = work["of"]?.number ?? 0
    let title = [work["kind"]?.text ?? "", CellText(work["name"] ?? "").text].filter { !$0.isEmpty }.joined(separator: " ")
    guard total > 0 else { return "\(title), \(Int(done).grouped) documents" }
    return "\(title) \(ProgressBar.bar(done / total)), \(Int(done).grouped) of \(Int(total).grouped) documents"
  }
}

extension ClientCommand {
  /// Does something that the server takes its time for, and shows meanwhile how far it is.
  func showingProgress<Answer: Sendable>(
    _ kinds: Set<String>, of client: MartletClient, _ context: CommandContext, _ body: @escaping @Sendable () async throws -> Answer
  ) async throws -> Answer {
    let console = context.console
    guard console.progress != nil, !wantsJSON else { return try await body() }
    let drawing = Task {
      let progress = ProgressBar("", console)
      defer { progress.end() }
      for try await update in client.subscribe("_system:progress").updates {
        guard let work = try? update.result.get().elements.last(where: { kinds.contains($0["kind"]?.text ?? "") }) else { continue }
        progress.show(ServerWork.line(of: work))
      }
    }
    let answer: Result<Answer, any Error>
    do { answer = .success(try await body()) } catch { answer = .failure(error) }
    drawing.cancel()
    _ = await drawing.result
    return try answer.get()
  }
}
