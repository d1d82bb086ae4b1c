/// What a client's line asks for.
package enum ClientVerb: UInt8, Sendable, CaseIterable {
  case hello, query, mutation, action, subscribe, unsubscribe, cancel, auth, ping, help, bye

  package var name: StaticString {
    switch self {
    case .hello: "hello"
    case .query: "query"
    case .mutation: "mutation"
    case .action: "action"
    case .subscribe: "subscribe"
    case .unsubscribe: "unsubscribe"
    case .cancel: "cancel"
    case .auth: "auth"
    case .ping: "ping"
    case .help: "help"
    case .bye: "bye"
    }
  }

  /// What follows the verb on its line.
  enum Form: Sendable {
    /// Free text, or nothing: `ping`, `help`, `bye`.
    case text
    /// One JSON object, or nothing: `hello`.
    case payload
    /// An id: `unsubscribe`, `cancel`.
    case id
    /// An id, and perhaps one word: `auth`.
    case idAndWord
    /// An id, a function and its arguments: `query`, `mutation`, `action`, `subscribe`.
    case call
  }

  var form: Form {
    switch self {
    case .query, .mutation, .action, .subscribe: .call
    case .unsubscribe, .cancel: .id
    case .auth: .idAndWord
    case .hello: .payload
    case .ping, .help, .bye: .text
    }
  }

  /// Finds a verb by its bytes, comparing only with the names of the same length.
  package init?(_ word: UnsafeRawBufferPointer) {
    switch word.count {
    case 5 where word.isEqual(to: "query"): self = .query
    case 8 where word.isEqual(to: "mutation"): self = .mutation
    case 6 where word.isEqual(to: "action"): self = .action
    case 9 where word.isEqual(to: "subscribe"): self = .subscribe
    case 11 where word.isEqual(to: "unsubscribe"): self = .unsubscribe
    case 6 where word.isEqual(to: "cancel"): self = .cancel
    case 4 where word.isEqual(to: "ping"): self = .ping
    case 4 where word.isEqual(to: "auth"): self = .auth
    case 5 where word.isEqual(to: "hello"): self = .hello
    case 4 where word.isEqual(to: "help"): self = .help
    case 3 where word.isEqual(to: "bye"): self = .bye
    default: return nil
    }
  }
}
