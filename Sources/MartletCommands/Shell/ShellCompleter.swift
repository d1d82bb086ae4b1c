/// What may stand at the cursor of a shell's line.
///
/// | at | |
/// |---|---|
/// | the first word | commands and functions |
/// | after `run`, `subscribe` and the verbs | functions, of the kind |
/// | after a function | its arguments that are not given yet, as `name=`; behind `name=` the values that are known |
/// | after `data` and `schema` | tables; after `--index` its indexes, in `--where` its fields |
/// | a word with `--` | the command's options |
struct ShellCompleter: Sendable {
  var catalog: ShellCatalog

  func complete(_ beforeCursor: String) -> Completion {
    let blank = beforeCursor.lastIndex(where: \.isWhitespace)
    let typed = String(blank.map { beforeCursor[beforeCursor.index(after: $0)...] } ?? beforeCursor[...])
    let words = (blank.map { beforeCursor[..<$0] } ?? "").split(whereSeparator: \.isWhitespace).map(String.init)
    // What begins inside of quotes is completed behind them.
    let quotes = typed.prefix { "'\"(".contains($0) }
    let piece = String(typed.dropFirst(quotes.count))
    let candidates = self.candidates(after: words, piece).filter { $0.text.hasPrefix(piece) }
    return Completion(typed: piece.count, candidates: candidates.sorted { $0.text < $1.text })
  }

  private func candidates(after words: [String], _ piece: String) -> [Completion.Candidate] {
    guard let first = words.first else {
      return plain(ShellVocabulary.first) + functions { $0.isCallable }
    }
    if first == ShellVocabulary.help { return words.count == 1 ? plain(ShellVocabulary.first) : [] }
    if first.contains(":") { return arguments(of: first, given: words.dropFirst(), piece) + options(RunCommand.name, piece) }
    guard let command = ShellVocabulary.command(words) else { return [] }
    if piece.hasPrefix("-") { return options(words, piece) }
    if let previous = words.last, previous.hasPrefix("--"), let values = values(of: previous, first, words) { return values }
    switch first {
    case "data", "schema":
      if words.count == 1 { return plain(catalog.tables.keys) }
      return isInFilter(words) ? fields(words) : []
    case "jobs", "crons", "snapshot":
      guard words.count == 1, let group = ShellVocabulary.command(first) else { return [] }
      return plain(group.configuration.subcommands.map(ShellVocabulary.name))
    case _ where command is any (LiveCommand & FunctionCommand).Type: return function(words, piece) { $0.kind == .query }
    case _ where command is any FunctionCommand.Type:
      let kind = ShellVocabulary.verbs[first]
      return function(words, piece) { kind == nil || $0.kind == kind }
    default: return []
    }
  }

  // MARK: Functions

  /// A function, or once there is one, its arguments.
  private func function(_ words: [String], _ piece: String, _ isWanted: (ShellCatalog.Function) -> Bool) -> [Completion.Candidate] {
    let given = words.dropFirst().drop { $0.hasPrefix("-") }
    guard let function = given.first else { return functions { $0.isCallable && isWanted($0) } }
    return arguments(of: function, given: given.dropFirst(), piece)
  }

  private func functions(_ isWanted: (ShellCatalog.Function) -> Bool) -> [Completion.Candidate] {
    plain(catalog.functions.filter { isWanted($0.value) }.map(\.key))
  }

  private func arguments(of function: String, given: ArraySlice<String>, _ piece: String) -> [Completion.Candidate] {
    guard let function = catalog.functions[function] else { return [] }
    if let equals = piece.firstIndex(of: "=") {
      let name = piece[..<equals]
      guard let argument = function.arguments.first(where: { $0.name == name }) else { return [] }
      return plain(ShellCatalog.values(argument.shape).map { "\(name)=\($0)" })
    }
    let isGiven = { (name: String) in given.contains { $0.hasPrefix("\(name)=") } }
    return function.arguments.filter { !isGiven($0.name) }.map { .init(text: "\($0.name)=", suffix: "") }
  }

  // MARK: Options

  private func options(_ words: [String], _ piece: String) -> [Completion.Candidate] {
    guard piece.hasPrefix("-"), let command = ShellVocabulary.command(words) else { return [] }
    return plain(ShellVocabulary.options(command).map(\.name))
  }

  private func options(_ command: String, _ piece: String) -> [Completion.Candidate] { options([command], piece) }

  /// Nil where the option has no value, or one that nobody can foresee.
  private func values(of option: String, _ command: String, _ words: [String]) -> [Completion.Candidate]? {
    switch option {
    case "--index": plain(words.count > 1 ? catalog.tables[words[1]]?.indexes ?? [] : [])
    case "--where": fields(words)
    case "--order": plain(DataOrder.allCases.map(\.rawValue))
    case "--state": plain(JobState.Kind.allCases.map(\.rawValue))
    case "--level": plain(LogLevel.allCases.map(\.rawValue))
    case "--function": plain(catalog.functions.keys)
    default: nil
    }
  }

  /// Whether the words end within what `--where` is given.
  private func isInFilter(_ words: [String]) -> Bool {
    guard let start = words.lastIndex(of: "--where"), start + 1 < words.count, let quote = words[start + 1].first, "'\"".contains(quote) else {
      return false
    }
    return words[(start + 1)...].joined(separator: " ").count { $0 == quote } == 1
  }

  private func fields(_ words: [String]) -> [Completion.Candidate] {
    plain(words.count > 1 ? catalog.tables[words[1]]?.fields ?? [] : [])
  }

  private func plain(_ texts: some Sequence<String>) -> [Completion.Candidate] { texts.map { .init(text: $0) } }
}

/// A command whose first argument is a function, followed by the function's own.
protocol FunctionCommand {}

extension RunCommand: FunctionCommand {
  fileprivate static var name: String { ShellVocabulary.name(Self.self) }
}

extension SubscribeCommand: FunctionCommand {}
