import MartletValues

// Reading a server's answers, where a missing or unexpected part is shown as nothing, and never stops a command.

extension Value {
  /// An array's elements; none of anything else.
  var elements: [Value] {
    if case .array(let elements) = self { elements } else { [] }
  }

  /// A number; nil of anything else.
  var number: Double? {
    if case .float64(let number) = self { number } else { nil }
  }

  /// A string's text; nothing of anything else.
  var text: String {
    if case .string(let text) = self { text } else { "" }
  }
}
