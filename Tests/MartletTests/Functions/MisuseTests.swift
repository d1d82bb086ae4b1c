import MartletTesting
import MartletValues
import MartletWire
import Synchronization
import Testing

@testable import Martlet

private struct Things: Table {
  static let name = "things"
  let name = Field(.string)
  let amount = Field(.double)
  let whole = Field(.optional(.wholeNumber))
  let byAmount = Index("by_amount", \Things.amount, summing: \Things.amount)
}

/// What a handler should not do.
private enum Misuse: FunctionModule {
  static let path = "misuse"
  static let functions: [any ServerFunction] = [
    add, all, patchInPatch, patchInPatchThenFail, deleteInPatch, otherInPatch, unfitInInsert, unfitForgotten, keep, useKept, flood,
  ]

  static let add = Mutation("add", Arg("name", .string), Arg("amount", .double)) { ctx, name, amount in
    try ctx.db.insert(Things.self) {
      $0.name = name
      $0.amount = amount
    }
  }

  static let all = Query("all") { ctx in
    try ctx.db.query(Things.self).withIndex(\.byAmount).collect().map { "\($0.name)=\(Int($0.amount))" }
  }

  private static func first(_ db: DatabaseWriter) throws -> ID<Things> {
    guard let thing = try db.query(Things.self).first() else { throw ApplicationError("the test needs a thing") }
    return thing.id
  }

  static let patchInPatch = Mutation("patchInPatch") { ctx in
    let id = try first(ctx.db)
    try ctx.db.patch(id) { outer in
      try ctx.db.patch(id) { $0.amount = 50 }
      outer.name = "b"
    }
  }

  static let deleteInPatch = Mutation("deleteInPatch") { ctx in
    let id = try first(ctx.db)
    try ctx.db.patch(id) { outer in
      try ctx.db.delete(id)
      outer.amount = 3
    }
  }

  /// A write inside the closure, and another one after it that fails and is caught.
  static let patchInPatchThenFail = Mutation("patchInPatchThenFail") { ctx in
    let id = try first(ctx.db)
    try ctx.db.patch(id) { outer in
      try ctx.db.patch(id) { $0.amount = 50 }
      _ = try? ctx.db.insert(Things.self) { _ in throw ApplicationError("no") }
      outer.name = "b"
    }
  }

  /// Not misuse: another document.
  static let otherInPatch = Mutation("otherInPatch") { ctx in
    let id = try first(ctx.db)
    try ctx.db.patch(id) { outer in
      outer.amount = 3
      try ctx.db.insert(Things.self) {
        $0.name = "inner"
        $0.amount = 4
      }
      outer.name = "outer"
    }
  }

  static let unfitInInsert = Mutation("unfitInInsert") { ctx in
    try ctx.db.insert(Things.self) {
      $0.name = "unfit"
      $0.amount = 1
      $0.whole = 1 << 60
      if $0.whole == 1 << 60 { $0.amount = 2 }
    }
  }

  static let unfitForgotten = Mutation("unfitForgotten") { ctx in
    try ctx.db.insert(Things.self) {
      $0.name = "fit"
      $0.amount = 1
      $0.whole = 1 << 60
      $0.whole = 5
      $0.amount = Double($0.whole ?? 0)
    }
  }

  /// Sound: the simulation runs every handler on the test's one thread, and a context is misused there alone.
  private struct Kept: @unchecked Sendable { let context: MutationContext }
  private static let kept = Mutex<Kept?>(nil)
  static let keep = Mutation("keep") { ctx in kept.withLock { $0 = Kept(context: ctx) } }
  static let useKept = Mutation("useKept") { ctx in
    let id = try first(ctx.db)
    guard let other = kept.withLock({ $0 })?.context else { throw ApplicationError("nothing was kept") }
    try ctx.db.patch(id) {
      $0.amount = 5
      try other.db.insert(Things.self) {
        $0.name = "ghost"
        $0.amount = 9
      }
    }
  }

  static let flood = Action("flood", Arg("count", .wholeNumber)) { ctx, count in
    var done = 0
    for number in 0..<count {
      do {
        try await ctx.run(add("\(number)", 1))
        done += 1
      } catch let error as WireError where error.code == .overloaded {
        return "overloaded"
      }
    }
    return "all \(done)"
  }
}

@Suite("Functions that misuse the database")
struct MisuseTests {
  private func serve(_ configuration: EngineConfiguration = .init(), pace: SimulatedLogWriter.Pace = .immediate) throws
    -> (EngineHarness, InProcessClient)
  {
    let server = try EngineHarness(tables: [Things.self], modules: [Misuse.self], configuration: configuration, pace: pace)
    let client = server.connect()
    client.send(#"mutation first misuse:add {"name":"a","amount":1}"#)
    server.settle()
    _ = client.take()
    return (server, client)
  }

  private func answer(_ verb: String, _ function: String, _ server: EngineHarness, _ client: InProcessClient) -> InProcessClient.Line? {
    client.send("\(verb) q misuse:\(function)")
    server.settle()
    return client.take().last
  }

  @Test(
    "A document that is written inside the closure of its own patch is an error, and nothing of either write stays",
    arguments: ["patchInPatch", "deleteInPatch", "patchInPatchThenFail"])
  func writeInsideItsOwnPatch(_ function: String) throws {
    let (server, client) = try serve()
    let refusal = answer("mutation", function, server, client)
    #expect(refusal?.code == "function_failed")
    #expect(refusal?.rest.contains("inside the closure of another write") == true)
    #expect(answer("query", "all", server, client)?.rest == #"["a=1"]"#)
  }

  @Test("Another document may be written inside a patch's closure")
  func writeInsideAnothersPatch() throws {
    let (server, client) = try serve()
    #expect(answer("mutation", "otherInPatch", server, client)?.kind == .ok)
    #expect(answer("query", "all", server, client)?.rest == #"["outer=3","inner=4"]"#)
  }

  @Test("A value that no document can hold reads as it was set, and the insert is a schema_violation")
  func unfitValue() throws {
    let (server, client) = try serve()
    #expect(answer("mutation", "unfitInInsert", server, client)?.code == "schema_violation")
    #expect(answer("mutation", "unfitForgotten", server, client)?.kind == .ok)
    #expect(answer("query", "all", server, client)?.rest == #"["a=1","fit=5"]"#)
  }

  @Test("A context that a handler kept can't be used once it has returned, and touches no other transaction")
  func keptContext() throws {
    let (server, client) = try serve()
    #expect(answer("mutation", "keep", server, client)?.kind == .ok)
    #expect(answer("mutation", "useKept", server, client)?.code == "function_failed")
    #expect(answer("query", "all", server, client)?.rest == #"["a=1"]"#)
  }

  @Test("G9: the mutations of an action are overloaded as well while too many commits wait for the disk")
  func actionsKeepTheBound() async throws {
    var configuration = EngineConfiguration()
    configuration.openBatchBytes = 1_000
    configuration.durability = .relaxed
    let (server, client) = try serve(configuration, pace: .byHand)
    client.send(#"action f misuse:flood {"count":500}"#)
    // The action runs on Swift's pool, which has a thread for each core, and on which the other tests run too. While those hold the threads it
    // stands still, however long that is: so a time alone doesn't tell a hang. A hundred thousand turns of the pool do, of which it needs two for each of
    // its calls; but turns are short while this test has the pool for itself, and the action's thread may wait for a core.
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(20)
    var turns = 0
    var answers: [InProcessClient.Line] = []
    while answers.isEmpty, clock.now < deadline || turns < 100_000 {
      server.run()
      answers = client.take()
      turns += 1
      await Task.yield()
    }
    #expect(answers.first?.rest == #""overloaded""#)
  }
}
