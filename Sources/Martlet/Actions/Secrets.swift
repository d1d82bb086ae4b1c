import Logging
import MartletWire
import Synchronization

/// The values that must not be shown, with the names that stand for them.
///
/// Text is searched for each of them, O(its length × secrets that begin alike); where there are none, that is one look at a counter. It happens to log
/// lines and errors only. Longer ones come first, so that a secret which holds another is replaced whole.
///
/// It is found percent-encoded too, as a service repeats it that was given it in a URL, and with backslashes in it, as in JSON that an error quotes.
package final class Secrets: Sendable {
  private struct Secret {
    var name: String
    var value: [UInt8]
  }

  /// What is shorter occurs by chance.
  static let fewestCharacters = 8

  private let known = Mutex<[Secret]>([])
  private let count = Atomic<Int>(0)

  package init() {}

  var isEmpty: Bool { count.load(ordering: .acquiring) == 0 }

  func note(_ name: String, _ value: String) {
    guard value.count >= Self.fewestCharacters else { return }
    known.withLock { known in
      let bytes = Array(value.utf8)
      guard !known.contains(where: { $0.value == bytes }) else { return }
      // Errors quote: a key of several lines is shown with `\n` in it.
      for form in Set([bytes, Array(value.debugDescription.utf8.dropFirst().dropLast())]) {
        let place = known.firstIndex { $0.value.count < form.count } ?? known.endIndex
        known.insert(Secret(name: name, value: form), at: place)
      }
      count.store(known.count, ordering: .releasing)
    }
  }

  package func redact(_ text: String) -> String {
    guard !isEmpty else { return text }
    let known = known.withLock { $0 }
    let bytes = Array(text.utf8)
    var redacted: [UInt8] = []
    var index = 0
    var isChanged = false
    while index < bytes.count {
      let rest = bytes[index...]
      var found: (name: String, length: Int)?
      for secret in known {
        guard let length = Self.length(of: secret.value, atStartOf: rest) else { continue }
        found = (secret.name, length)
        break
      }
      if let found {
        redacted += "[\(found.name)]".utf8
        index += found.length
        isChanged = true
      } else {
        redacted.append(bytes[index])
        index += 1
      }
    }
    return isChanged ? String(decoding: redacted, as: UTF8.self) : text
  }

  /// How many bytes at the text's start are the secret, as it is or escaped; nil where it doesn't begin there.
  private static func length(of secret: [UInt8], atStartOf text: ArraySlice<UInt8>) -> Int? {
    let (percent, backslash) = (UInt8(ascii: "%"), UInt8(ascii: "\\"))
    guard let first = text.first, first == secret[0] || first == percent || first == backslash || first == UInt8(ascii: "+") else { return nil }
    if text.starts(with: secret) { return secret.count }
    var rest = text
    for byte in secret {
      while rest.first == backslash, byte != backslash { rest.removeFirst() }
      guard let next = rest.popFirst() else { return nil }
      if next == percent, rest.count >= 2, let encoded = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16), encoded == byte {
        rest.removeFirst(2)
      } else if next != byte, next != UInt8(ascii: "+") || byte != UInt8(ascii: " ") {
        return nil
      }
    }
    return rest.startIndex - text.startIndex
  }

  func redact(_ value: Value) -> Value {
    guard !isEmpty else { return value }
    switch value {
    case .null, .int64, .float64, .boolean, .bytes: return value
    case .string(let text): return .string(redact(text))
    case .array(let elements): return .array(elements.map(redact))
    case .object(let object):
      // Two names may have become one.
      return .object(ObjectValue(Dictionary(object.map { (redact($0.key), redact($0.value)) }) { first, _ in first }))
    }
  }

  func redact(_ error: WireError) -> WireError {
    guard !isEmpty else { return error }
    return WireError(error.code, redact(error.message), data: error.data.map(redact))
  }

  func redact(_ lines: [LogLine]) -> [LogLine] {
    guard !isEmpty else { return lines }
    return lines.map { line in
      var line = line
      line.message = redact(line.message)
      return line
    }
  }
}

/// The server's log, without secrets.
struct RedactingLogHandler: LogHandler {
  private var handler: any LogHandler
  private let secrets: Secrets

  init(_ handler: any LogHandler, _ secrets: Secrets) {
    self.handler = handler
    self.secrets = secrets
  }

  var logLevel: Logger.Level {
    get { handler.logLevel }
    set { handler.logLevel = newValue }
  }

  var metadata: Logger.Metadata {
    get { handler.metadata }
    set { handler.metadata = newValue }
  }

  var metadataProvider: Logger.MetadataProvider? {
    get { handler.metadataProvider }
    set { handler.metadataProvider = newValue }
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { handler[metadataKey: key] }
    set { handler[metadataKey: key] = newValue }
  }

  func log(event: LogEvent) {
    guard !secrets.isEmpty else { return handler.log(event: event) }
    var event = event
    event.message = "\(secrets.redact(event.message.description))"
    event.metadata = event.metadata?.mapValues(redact)
    handler.log(event: event)
  }

  private func redact(_ value: Logger.MetadataValue) -> Logger.MetadataValue {
    switch value {
    case .string(let text): .string(secrets.redact(text))
    case .stringConvertible(let other): .string(secrets.redact(other.description))
    case .dictionary(let members): .dictionary(members.mapValues(redact))
    case .array(let elements): .array(elements.map(redact))
    @unknown default: .string(secrets.redact("\(value)"))
    }
  }
}
