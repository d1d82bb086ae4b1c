import MartletWire

/// What a function answers: the shape that clients are told of, and whether each answer is looked at.
///
/// Most answers need no look: a `[Document<Users>]` is an array of such documents whatever the handler does. The shape is its type's own then, and asked
/// for only by who lists the functions. A declared shape may say more than the type does (`returns: .union(…)` of a `Value`, a literal of a
/// `String`); then the answer's JSON is checked against it, O(its bytes), before anything is committed.
@usableFromInline
package struct AnswerShape: Sendable {
  let shape: @Sendable () -> ValidatorShape
  /// What each answer is checked against; nil where its type says enough.
  let checked: ValidatorShape?

  @usableFromInline
  init<Answer: WireValue>(_ declared: Validator<Answer>?) {
    guard let declared = declared?.shape.ofAnswer else {
      shape = { Answer.shape }
      checked = nil
      return
    }
    shape = { declared }
    checked = declared == Answer.shape && declared.followsFromType ? nil : declared
  }

  /// Of a function of the server's own.
  init(_ shape: ValidatorShape) {
    self.shape = { shape }
    checked = nil
  }

  /// Throws `schema_violation` where the answer has not the shape that was declared.
  func check(_ answer: borrowing JSONWriter, of function: String, _ catalog: Catalog) throws {
    guard let checked else { return }
    try answer.withUnsafeBytes { json in
      var reader = JSONReader(json)
      do {
        try checked.check(&reader) { catalog.table(named: $0)?.layout.number }
        try reader.finish()
      } catch let error as ValidationError {
        throw WireError(.schemaViolation, "\(function) doesn't return what it declares: \(error.prefixed(by: .field("answer")))")
      } catch let error as JSONError {
        throw WireError(.schemaViolation, "\(function) doesn't return what it declares: answer: \(error.message)")
      }
    }
  }
}

extension ValidatorShape {
  /// An answer can't be left out: where a member would be absent, it is null.
  fileprivate var ofAnswer: ValidatorShape { isOptional ? orNull : self }

  /// Whether every value of a Swift type that has this shape has it: not if some of the type's values are other literals, or have names that no
  /// field can have.
  fileprivate var followsFromType: Bool {
    switch self {
    case .literal, .record: false
    case .array(let element), .optional(let element): element.followsFromType
    case .object(let members): members.allSatisfy(\.shape.followsFromType)
    case .union(let shapes): shapes.allSatisfy(\.followsFromType)
    default: true
    }
  }
}

/// Throws where an answer is not what its function's type or declaration says.
func checkAnswer(_ answer: borrowing JSONWriter, of function: FunctionDefinition, _ catalog: Catalog) throws {
  try checkAnswer(answer, of: function.name)
  try function.answer.check(answer, of: function.name, catalog)
}

/// The same for an action.
@usableFromInline
func checkAnswer(_ answer: borrowing JSONWriter, of function: String, _ shape: AnswerShape, _ context: ActionContext) throws {
  try checkAnswer(answer, of: function)
  try shape.check(answer, of: function, context.engine.catalog)
}
