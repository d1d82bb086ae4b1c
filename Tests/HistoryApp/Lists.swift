import MartletCommands

struct Lists: Table {
  static let name = "lists"
  let key = Field(.wholeNumber)
  let elements = Field(.array(.wholeNumber))
  let byKey = Index("by_key", \Lists.key)
}

/// Documents that only take time to read.
struct Padding: Table {
  static let name = "padding"
  let number = Field(.wholeNumber)
}

extension ReadsDatabase {
  /// Reads so much that the engine's own thread hands the transaction on: it then runs beside, on its snapshot, and is validated
  /// when it comes back.
  func takeTime() throws {
    guard try query(Padding.self).collect().count > 4_096 else { throw ApplicationError("lists:prepare comes first") }
  }
}

enum ListFunctions: FunctionModule {
  static let path = "lists"
  static let functions: [any ServerFunction] = [prepare, run]

  static let prepare = Mutation("prepare") { ctx in
    for number in 0..<4_200 { try ctx.db.insert(Padding.self) { $0.number = number } }
  }

  /// Carries operations out one after another, and answers what each read; of an append, nothing.
  /// - Parameters:
  ///   - isLong: takes its time after the first operation.
  ///   - fails: throws when all is done.
  static let run = Mutation(
    "run", Arg("operations", .array(ListOperation.validator)), Arg("isLong", .boolean), Arg("fails", .boolean)
  ) { ctx, operations, isLong, fails in
    var answers: [[Int]] = []
    for (index, operation) in operations.enumerated() {
      if isLong, index == 1 { try ctx.db.takeTime() }
      let list = try ctx.db.query(Lists.self).withIndex(\.byKey) { $0.eq(\.key, operation.key) }.unique()
      guard let element = operation.append else {
        answers.append(list?.elements ?? [])
        continue
      }
      if let list {
        try ctx.db.patch(list.id) { $0.elements = list.elements + [element] }
      } else {
        try ctx.db.insert(Lists.self) {
          $0.key = operation.key
          $0.elements = [element]
        }
      }
      answers.append([])
    }
    if fails { throw ApplicationError("as asked") }
    return answers
  }
}

struct ListOperation: Sendable {
  var key: Int
  /// Nil for a read.
  var append: Int?

  static let validator = Validator<ListOperation>.object(
    Property("key", \ListOperation.key, .wholeNumber), Property("append", \ListOperation.append, .optional(.wholeNumber))
  ) {
    ListOperation(key: $0, append: $1)
  }
}
