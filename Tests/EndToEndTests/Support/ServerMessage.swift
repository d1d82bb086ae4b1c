import Foundation
import MartletTesting
import MartletValues

/// One line of the server, read strictly: what is no line of the protocol fails the test, whatever it was looking for.
struct ServerMessage: CustomStringConvertible {
  enum Verb: String {
    case welcome, ok, error, update, patch, failed, synced, log, pong, expired, closing
    case comment = "#"
  }

  let line: String
  let verb: Verb
  /// Empty for a verb without one.
  let id: String
  /// 0 for a verb without one.
  let timestamp: UInt64
  /// The JSON, or the text of `pong` and of a comment.
  let rest: String

  init(_ line: String) throws {
    var words = Substring(line)
    func word() -> String {
      let end = words.utf8.firstIndex(of: UInt8(ascii: " ")) ?? words.endIndex
      defer { words = end == words.endIndex ? "" : words[words.utf8.index(after: end)...] }
      return String(words[..<end])
    }
    guard let verb = Verb(rawValue: word()) else { throw Failure("the server sent no line of the protocol: \(line.prefix(300))") }
    var id = ""
    var timestamp: UInt64 = 0
    switch verb {
    case .ok:
      id = word()
      timestamp = try Self.timestamp(word(), line)
    case .error, .update, .patch, .failed, .log: id = word()
    case .synced: timestamp = try Self.timestamp(word(), line)
    case .welcome, .pong, .expired, .closing, .comment: break
    }
    self.line = line
    self.verb = verb
    self.id = id
    self.timestamp = timestamp
    rest = String(words)
    switch verb {
    case .error, .failed, .expired, .closing:
      guard case .string? = try json["code"], case .string? = try json["message"] else {
        throw Failure("an error has a code and a message: \(line)")
      }
    case .synced, .pong, .comment: break
    case .welcome, .ok, .update, .patch, .log: guard !rest.isEmpty else { throw Failure("there is no JSON in: \(line)") }
    }
  }

  private static func timestamp(_ word: String, _ line: String) throws -> UInt64 {
    guard let timestamp = UInt64(word) else { throw Failure("a timestamp is a decimal integer: \(line.prefix(300))") }
    return timestamp
  }

  /// The line's JSON, whatever the verb.
  var json: Value {
    get throws {
      do { return try Value(json: rest) } catch { throw Failure("not JSON (\(error)): \(line.prefix(300))") }
    }
  }

  /// The value of an `ok`. Anything else is not what the test goes on with.
  var okValue: Value {
    get throws {
      guard verb == .ok else { throw Failure("expected ok, found: \(line.prefix(300))") }
      return try json
    }
  }

  /// The code of an `error`, `failed`, `expired` or `closing`; nil for any other line.
  var code: String? {
    switch verb {
    case .error, .failed, .expired, .closing: (try? json)?["code"]?.text
    default: nil
    }
  }

  var description: String { line.count > 300 ? line.prefix(300) + "…" : line }
}

extension Value {
  var text: String? { if case .string(let text) = self { text } else { nil } }
  var number: Double? { if case .float64(let number) = self { number } else { nil } }
  var elements: [Value] { if case .array(let elements) = self { elements } else { [] } }
}

/// What a client with subscriptions knows, brought up to date by the lines that it is sent.
struct LiveView {
  private(set) var values: [String: ServerMessage] = [:]
  private(set) var timestamp: UInt64 = 0
  /// Lines of the group that no `synced` has ended yet.
  private(set) var open: [ServerMessage] = []

  /// Takes one message. True when it ended a group, so that `values` shows one snapshot.
  mutating func take(_ message: ServerMessage) throws -> Bool {
    switch message.verb {
    case .update, .patch, .failed:
      open.append(message)
      return false
    case .synced:
      guard message.timestamp >= timestamp else { throw Failure("synced went back from \(timestamp) to \(message.timestamp)") }
      timestamp = message.timestamp
      for message in open { values[message.id] = try message.verb == .patch ? patched(by: message) : message }
      open = []
      return true
    default: return false
    }
  }

  /// The `update` that would have said the same.
  private func patched(by message: ServerMessage) throws -> ServerMessage {
    guard let last = values[message.id], last.verb == .update else { throw Failure("there is nothing to be patched: \(message)") }
    return try ServerMessage("update \(message.id) \(last.json.patched(by: message.json).json)")
  }

  subscript(id: String) -> Value? { values[id].flatMap { $0.verb == .update ? try? $0.json : nil } }
}

extension RawClient {
  /// Reads up to the end of the next group, and gives its lines of values and its timestamp.
  func group(_ deadline: Deadline = Deadline()) throws -> (lines: [ServerMessage], timestamp: UInt64) {
    let messages = try messages(deadline) { $0.verb == .synced }
    return (messages.filter { $0.verb == .update || $0.verb == .patch || $0.verb == .failed }, messages[messages.count - 1].timestamp)
  }

  /// Makes sure that every update up to now has come: a mutation that changes nothing is answered, and followed by the
  /// `synced` that promise 4 owes it. Gives the lines that came before.
  /// - Parameter account: any account.
  func updatesUpToNow(account: String) throws -> [ServerMessage] {
    try send("mutation barrier accounts:transferFunds \(Bank.transfer(account, account, 1).json)")
    var answered: UInt64?
    let messages = try messages { message in
      if message.verb == .ok, message.id == "barrier" { answered = message.timestamp }
      return message.verb == .synced && answered.map { message.timestamp >= $0 } ?? false
    }
    return messages.filter { $0.verb == .update || $0.verb == .patch || $0.verb == .failed }
  }
}
