import ArgumentParser
import MartletClient
import UnixSignals

/// A command that keeps a query live and shows its updates.
///
/// - On a terminal the value is redrawn in place (`LiveView`). With `--diff` what changed is written below what changed before.
/// - To a file or a pipe each update is a block of lines.
/// - With `--json` each update is a line.
protocol LiveCommand: ClientCommand {
  /// After how many updates it ends; never if nil.
  var count: Int? { get }
  /// Whether only what changed is shown.
  var diff: Bool { get }
}

extension LiveCommand {
  var diff: Bool { false }

  func validateCount() throws {
    if let count, count < 1 { throw UsageError("--count must be at least 1") }
  }

  /// Shows each update, until it has shown as many as were asked for.
  /// - Parameters:
  ///   - title: what is watched, for a person.
  ///   - shown: what of a value is shown.
  ///   - table: how it is shown to people; as any value, if nil.
  func follow(
    _ subscription: Subscription<Value>, of client: MartletClient, _ context: CommandContext, title: String,
    shown: @escaping @Sendable (Value) -> Value = { $0 }, table: (@Sendable (Value) -> TextTable)? = nil
  ) async throws {
    let (console, count) = (context.console, count)
    if let terminal = console.terminal, !wantsJSON, !diff {
      let screen = LiveScreen(LiveView(title: title, table: table), terminal, console.output)
      do {
        try await watch(subscription, context, 0, besides: { try await screen.follow(client.connectionStates) }) { _, update in
          let update = Update(result: update.result.map(shown), timestamp: update.timestamp)
          if try await screen.take(update) == count { return false }
          // Cancelled or not, what follows is the next update.
          try? await Task.sleep(for: LiveScreen.pause)
          return true
        }
      } catch {
        await screen.end()
        throw error
      }
      return await screen.end()
    }
    let feed = UpdateFeed(isJSON: wantsJSON, isDiff: diff, columns: console.columns, painter: console.terminal?.painter ?? .plain, table: table)
    try await watch(subscription, context, feed) { feed, update in
      try console.output.write(feed.text(of: Update(result: update.result.map(shown), timestamp: update.timestamp)))
      return feed.number != count
    }
  }
}

extension ClientCommand {
  /// Hands each update to `take`, and ends with whatever comes first: `take` wants no more, a signal, or a reader that has read enough.
  /// - Parameter besides: what goes on meanwhile. Its end is none of the command.
  func watch<State: Sendable>(
    _ subscription: Subscription<Value>, _ context: CommandContext, _ state: State,
    besides: (@Sendable () async throws -> Void)? = nil,
    _ take: @escaping @Sendable (inout State, Update<Value>) async throws -> Bool
  ) async throws {
    // In a shell Ctrl-C is the shell's affair: it cancels this task.
    let signals = context.isInShell ? nil : await UnixSignalsSequence(trapping: .sigint, .sigterm)
    do {
      try await withThrowingTaskGroup(of: Bool.self) { group in
        group.addTask {
          var state = state
          for try await update in subscription.updates where try await !take(&state, update) { return true }
          return true
        }
        if let signals {
          group.addTask {
            for await _ in signals { return true }
            return false
          }
        }
        if let besides {
          group.addTask {
            try await besides()
            return false
          }
        }
        group.addTask {
          try await context.console.output.waitUntilClosed()
          return true
        }
        while let isTheEnd = try await group.next(), !isTheEnd {}
        group.cancelAll()
      }
    } catch is CancellationError where context.isInShell {
      return
    }
  }
}

extension LiveScreen {
  /// Draws how the connection stands, and again when the window changes, until it is cancelled.
  nonisolated func follow(_ states: AsyncStream<ConnectionState>) async throws {
    let changes = await UnixSignalsSequence(trapping: .sigwinch, .sigcont)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { for await state in states { try await self.take(state) } }
      group.addTask { for await _ in changes { try await self.drawAgain() } }
      try await group.waitForAll()
    }
  }
}
