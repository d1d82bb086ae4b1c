import Synchronization
import MartletWire

/// The functions of a running engine, by name, and the workpools that they may use. Immutable: made at start.
package final class FunctionRegistry: Sendable {
  package let functions: [FunctionDefinition]
  let workpools: [Workpool]
  private let byName: [FunctionName: FunctionDefinition]
  private let runners: [String: FunctionDefinition]

  /// A name as bytes, so that a request's function is found without making a string.
  private struct FunctionName: Hashable {
    let bytes: ContiguousArray<UInt8>
  }

  package init(_ functions: [FunctionDefinition], workpools: [Workpool] = []) throws {
    try Workpool.check(workpools)
    self.workpools = workpools
    let functions = functions.sorted { $0.name < $1.name }.enumerated().map { $1.numbered($0 + 1) }
    var byName: [FunctionName: FunctionDefinition] = [:]
    for function in functions {
      _ = function.returns  // A type whose shape can't be learnt is to be met now, and not by who asks for it.
      let name = FunctionName(bytes: ContiguousArray(function.name.utf8))
      guard byName.updateValue(function, forKey: name) == nil else {
        throw SchemaError("two functions are called \"\(function.name)\"; rename one")
      }
    }
    self.functions = functions
    self.byName = byName
    runners = Dictionary(
      uniqueKeysWithValues: functions.filter { $0.kind == .mutation }.map { ($0.name, JobFunctions.runner(of: $0)) })
  }

  /// The functions of an app's modules, and the server's own.
  /// - Parameter pools: those that the app declares, with their places.
  package convenience init(
    appModules: [any FunctionModule.Type], pools: [String: Int] = [:], workpools: [Workpool] = []
  ) throws {
    let functions = appModules.flatMap { module in module.functions.map(\.definition) }
    if let reserved = functions.first(where: \.isSystem) {
      throw SchemaError("\(reserved.name): the path \"_system\" is the server's own; choose another")
    }
    try ActionPools.check(pools, of: functions)
    try self.init(functions + SystemFunctions.all, workpools: workpools)
  }

  func find(_ name: UnsafeRawBufferPointer) -> FunctionDefinition? {
    byName[FunctionName(bytes: ContiguousArray(name))]
  }

  func find(_ name: String) -> FunctionDefinition? { byName[FunctionName(bytes: ContiguousArray(name.utf8))] }

  /// The error for a name that no function has: it names the nearest one.
  func unknown(_ name: String) -> WireError {
    let nearest = functions.filter { $0.visibility == .public }
      .map { ($0.name, editDistance($0.name, name)) }
      .min { $0.1 < $1.1 }
    guard let nearest, nearest.1 <= max(3, name.count / 3) else {
      return WireError(.unknownFunction, "there is no function \"\(name)\"; _system:functions lists them")
    }
    return WireError(.unknownFunction, "there is no function \"\(name)\"; did you mean \"\(nearest.0)\"?")
  }

  /// Runs a query or mutation inside a running transaction.
  func runNested<Result: WireValue>(_ call: FunctionCall<Result>, in transaction: Transaction) throws -> Result {
    guard let function = find(call.name) else { throw unknown(call.name) }
    var answer = JSONWriter()
    try call.arguments.withUnsafeBytes { try runNested(function, $0, in: transaction, into: &answer) }
    return try answer.withUnsafeBytes {
      var reader = JSONReader($0)
      return try Result.decode(from: &reader)
    }
  }
}

extension FunctionRegistry {
  /// The same without types: the arguments are an object's JSON, and so is the answer.
  func runNested(
    _ function: FunctionDefinition, _ json: UnsafeRawBufferPointer, in transaction: Transaction, into answer: inout JSONWriter
  ) throws {
    try transaction.nested {
      var arguments = try Arguments(json, transaction.catalog)
      switch function.body {
      case .query(let run):
        try run(QueryContext(transaction: transaction), &arguments, &answer)
      case .mutation(let run):
        guard transaction.canWrite else {
          throw WireError(.wrongKind, "\(function.name) is a mutation; a query can run queries only")
        }
        try run(MutationContext(transaction: transaction), &arguments, &answer)
      case .action, .system:
        throw WireError(.wrongKind, "\(function.name) can't be run inside a transaction; run it from an action")
      }
      try checkAnswer(answer, of: function, transaction.catalog)
    }
  }

  /// What runs the jobs of a function: see `JobFunctions.runner`.
  func runner(of function: FunctionDefinition) -> FunctionDefinition {
    guard let runner = runners[function.name] else { preconditionFailure("\(function.name) is one of the functions of this engine") }
    return runner
  }
}

/// What is wrong with an app's schema or functions; the server doesn't start with it.
public struct SchemaError: Error, Sendable, CustomStringConvertible {
  public let message: String
  package init(_ message: String) { self.message = message }
  public var description: String { message }
}

/// How many single-byte changes turn one name into the other (Levenshtein).
private func editDistance(_ lhs: String, _ rhs: String) -> Int {
  let lhs = Array(lhs.utf8)
  let rhs = Array(rhs.utf8.prefix(256))
  var row = Array(0...rhs.count)
  for (i, left) in lhs.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, right) in rhs.enumerated() {
      let replaced = diagonal + (left == right ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
    }
  }
  return row[rhs.count]
}
