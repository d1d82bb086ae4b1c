@testable import MartletValues

/// What a validator says to a text: `accepted`, or its error.
///
/// - Parameter check: whether its shape is to say it, which builds no value.
func message<T>(_ validator: Validator<T>, _ text: String, check: Bool = false) -> String {
  do {
    try reading(text) { reader in
      if check { try validator.shape.check(&reader) } else { _ = try validator.decode(&reader) }
      try reader.finish()
    }
    return "accepted"
  } catch { return "\(error)" }
}
