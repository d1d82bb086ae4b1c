import MartletTesting
import MartletValues
import MartletWire
import Testing

@testable import Martlet

private struct Notes: Table {
  static let name = "notes"
  let text = Field(.string)
  let mood = Field(.optional(Mood.validator))
  let author = Field(.optional(.codable(Author.self)))
  let level = Field(.optional(.enumeration(Level.self)))
  let reviewers = Field(.optional(.array(.codable(Author.self))))
  let moods = Field(.optional(.record(.array(Mood.validator))))
}

private enum Level: Int, CaseIterable, Sendable { case low = 1, high = 2 }

private enum Mood: Sendable, Equatable {
  case fine, bad(Reason)

  struct Reason: Codable, Sendable, Equatable {
    var because: String
    var note: ID<Notes>?
  }

  static let validator = Validator<Mood>.tagged(
    "mood", Case("fine", Mood.fine), Case("bad", .codable(Reason.self), Mood.bad)
  ) { mood, fine, bad in
    switch mood {
    case .fine: fine()
    case .bad(let it): bad(it)
    }
  }
}

private struct Author: Codable, Sendable, Equatable {
  var name: String
  var books: [String]
  var editor: ID<Notes>?
  var seal: Bytes?
}

private struct Summary: CodableWireValue {
  var count: Int
  var authors: [Author]
  var newest: String?
}

private struct Total: ValidatedValue, Equatable {
  var amount: Double
  static let validator = Validator<Total>.object(Property("amount", \Total.amount, .double)) { Total(amount: $0) }
}

/// Its encoding fails when it is told to.
private struct Fragile: CodableWireValue {
  var text = ""
  func encode(to encoder: any Encoder) throws {
    guard text != "break" else { throw EncodingError.invalidValue(text, .init(codingPath: [], debugDescription: "told to break")) }
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(text, forKey: .text)
  }
}

private struct Whole: Codable, Equatable {
  var _id: ID<Notes>
  var _creationTime: Double
  var text: String
  var author: Author?
}

private struct Misfit: Codable { var text: Int }

private enum Answers: FunctionModule {
  static let path = "answers"
  static let functions: [any ServerFunction] = [
    insert, mood, author, setAuthor, summary, total, fragile, fragileWrite, value, write, nested, literal, act, first, optionals, numbers,
    nothing, decoded, misdecoded, ids, levels, review,
  ]

  static let insert = Mutation(
    "insert", Arg("text", .string), Arg("mood", .optional(Mood.validator)), Arg("author", .optional(.codable(Author.self))),
    Arg("level", .optional(.enumeration(Level.self)))
  ) { ctx, text, mood, author, level in
    try ctx.db.insert(Notes.self) {
      $0.text = text
      $0.mood = mood
      $0.author = author
      $0.level = level
    }
  }

  static let mood = Query("mood", Arg("id", .id(Notes.self))) { ctx, id in
    return switch try ctx.db.get(id).mood {
    case .fine?: "fine"
    case .bad(let reason)?: "bad because \(reason.because)"
    case nil: "none"
    }
  }

  static let author = Query("author", Arg("id", .id(Notes.self))) { ctx, id in try ctx.db.get(id).author?.books }

  static let setAuthor = Mutation("setAuthor", Arg("id", .id(Notes.self)), Arg("editor", .string)) { ctx, id, editor in
    try ctx.db.patch(id) { $0.author = Author(name: "x", books: [], editor: ID(editor)) }
  }

  static let summary = Query("summary") { ctx in
    let notes = try ctx.db.query(Notes.self).collect()
    return Summary(count: notes.count, authors: notes.compactMap(\.author), newest: notes.last?.text)
  }

  static let total = Query("total") { _ in [Total(amount: 1)] }
  static let fragile = Query("fragile", Arg("text", .string)) { _, text in Fragile(text: text) }
  static let fragileWrite = Mutation("fragileWrite", Arg("text", .string)) { ctx, text in
    _ = try ctx.db.insert(Notes.self) { $0.text = text }
    return Fragile(text: text)
  }

  static let value = Query(
    "value", Arg("answer", .any),
    returns: .union(Validator<String>.string, Validator<[Double]>.array(.double), Total.validator)
  ) { _, answer in answer }

  static let write = Mutation("write", Arg("text", .string), Arg("answer", .any), returns: .union(Validator<String>.string)) {
    ctx, text, answer in
    _ = try ctx.db.insert(Notes.self) { $0.text = text }
    return answer
  }

  static let nested = Mutation("nested", Arg("text", .string), Arg("answer", .any)) { ctx, text, answer in
    _ = try ctx.db.insert(Notes.self) { $0.text = "outer" }
    do { return try ctx.run(write(text, answer)) } catch let error as WireError { return .string(error.code.rawValue) }
  }

  static let literal = Query("literal", Arg("text", .string), returns: .literal("yes")) { _, text in text }
  static let act = Action("act", Arg("answer", .any), returns: .union(Validator<ID<Notes>>.id(Notes.self), Validator<Null>.null)) { _, answer in answer }
  static let first = Query("first") { ctx in try ctx.db.query(Notes.self).first() }
  static let optionals = Query("optionals", Arg("number", .optional(.double)), returns: .optional(.double)) { _, number in number }
  static let numbers = Query("numbers", returns: .array(.wholeNumber)) { _ in [1, 2] }
  static let nothing = Mutation("nothing") { _ in }
  static let ids = Query("ids") { ctx in try ctx.db.query(Notes.self).collect().map(\.id) }
  static let levels = Query("levels") { ctx in try ctx.db.query(Notes.self).collect().map { $0.level?.rawValue } }

  static let review = Mutation(
    "review", Arg("id", .id(Notes.self)), Arg("reviewers", .array(.codable(Author.self))), Arg("moods", .record(.array(Mood.validator)))
  ) { ctx, id, reviewers, moods in
    try ctx.db.patch(id) {
      $0.reviewers = ($0.reviewers ?? []) + reviewers
      $0.moods = moods
    }
    let note = try ctx.db.get(id)
    return ["\(note.reviewers?.map(\.name) ?? [])", "\(note.moods?["a"] == moods["a"])"]
  }

  static let decoded = Query("decoded") { ctx in
    try ctx.db.query(Notes.self).collect().map { document in
      let whole = try document.decode(as: Whole.self)
      guard whole._id == document.id, whole._creationTime == document.creationTime, whole.author == document.author else {
        throw ApplicationError("not the same")
      }
      return whole.text
    }
  }

  static let misdecoded = Query("misdecoded") { ctx in
    do {
      _ = try ctx.db.query(Notes.self).first()?.decode(as: Misfit.self)
      return "decoded"
    } catch { return "\(error)" }
  }
}

@Suite("Answers, and Swift types as arguments and fields")
struct AnswerTests {
  private func start() throws -> (EngineHarness, InProcessClient) {
    let server = try EngineHarness(tables: [Notes.self], modules: [Answers.self])
    return (server, server.connect())
  }

  @Test("What an answer must be is checked where its type doesn't say it: path, expectation and finding are told")
  func checked() throws {
    let (server, client) = try start()
    func value(_ answer: String) -> String { client.ask(server, #"query answers:value {"answer":\#(answer)}"#) }
    #expect(value(#""x""#) == #""x""#)
    #expect(value("[1,2]") == "[1,2]")
    #expect(value(#"{"amount":1}"#) == #"{"amount":1}"#)
    #expect(
      value("true")
        == "schema_violation: answers:value doesn't return what it declares: answer: expected string or array of number or {amount: number}, found boolean")
    #expect(value(#"[1,"x"]"#).hasSuffix("found array; as array of number: [1]: expected number, found string"))
    #expect(client.ask(server, #"query answers:literal {"text":"yes"}"#) == #""yes""#)
    #expect(client.ask(server, #"query answers:literal {"text":"no"}"#).hasSuffix(#"answer: expected "yes", found another string"#))
    #expect(client.ask(server, "query answers:optionals") == "null")
    #expect(client.ask(server, #"query answers:optionals {"number":2}"#) == "2")
    #expect(client.ask(server, "query answers:numbers") == "[1,2]")
  }

  @Test("A mutation whose answer doesn't fit leaves nothing behind; a nested one takes back its own writes alone")
  func rollback() throws {
    let (server, client) = try start()
    #expect(client.ask(server, #"mutation answers:write {"text":"a","answer":1}"#).hasPrefix("schema_violation: answers:write doesn't return"))
    #expect(client.ask(server, #"mutation answers:fragileWrite {"text":"break"}"#).contains("the answer of answers:fragileWrite can't be encoded"))
    #expect(client.ask(server, "query answers:ids") == "[]")
    #expect(client.ask(server, #"mutation answers:nested {"text":"inner","answer":1}"#) == #""schema_violation""#)
    #expect(client.ask(server, "query answers:decoded") == #"["outer"]"#)
    #expect(client.ask(server, #"mutation answers:write {"text":"b","answer":"fine"}"#) == #""fine""#)
    #expect(client.ask(server, "query answers:decoded") == #"["outer","b"]"#)
  }

  @Test("An action's answer is checked too, ids by their table")
  func actions() async throws {
    let (server, client) = try start()
    let id = client.ask(server, #"mutation answers:insert {"text":"a"}"#)
    guard case .action(let run) = Answers.act.definition.body else { preconditionFailure("it is an action") }
    let context = ActionContext(engine: server.engine, identity: .anonymous, run: ActionRun(function: "test"))
    func act(_ answer: String) async -> String {
      do { return String(decoding: try await run(context, Array("{\"answer\":\(answer)}".utf8)), as: UTF8.self) } catch { return "\(error)" }
    }
    #expect(await act("1").contains("answers:act doesn't return what it declares: answer: expected id of notes or null, found number"))
    #expect(await act("null") == "null")
    #expect(await act(id) == id)
    let other = DocumentID(tableNumber: 99, high: 1, low: 1)
    #expect(await act("\"\(other)\"").contains("expected id of notes or null, found string; as id of notes: expected id of notes, found id of another table"))
  }

  @Test("An answer that can't be encoded is an error with the reason, and no answer")
  func unencodable() throws {
    let (server, client) = try start()
    #expect(client.ask(server, #"query answers:fragile {"text":"a"}"#) == #"{"text":"a"}"#)
    let problem = client.ask(server, #"query answers:fragile {"text":"break"}"#)
    #expect(problem.hasPrefix("schema_violation: the answer of answers:fragile can't be encoded: "))
    #expect(problem.contains("told to break"))
  }

  @Test("_system:functions says what each function answers, declared or by its type")
  func listed() throws {
    let (server, client) = try start()
    let list = client.ask(server, "query _system:functions")
    let functions = try Value(json: list)
    func returns(_ name: String) -> String {
      guard case .array(let elements) = functions else { return "no list" }
      return elements.first { $0["name"] == .string("answers:" + name) }?["returns"]?.json ?? "missing"
    }
    #expect(returns("insert") == #"{"tableName":"notes","type":"id"}"#)
    #expect(returns("mood") == #"{"type":"string"}"#)
    #expect(returns("author") == #"{"type":"union","value":[{"type":"array","value":{"type":"string"}},{"type":"null"}]}"#)
    #expect(returns("nothing") == #"{"type":"null"}"#)
    #expect(returns("numbers") == #"{"type":"array","value":{"type":"number"}}"#)
    #expect(returns("optionals") == #"{"type":"union","value":[{"type":"number"},{"type":"null"}]}"#)
    #expect(returns("total") == #"{"type":"array","value":{"type":"object","value":{"amount":{"fieldType":{"type":"number"},"optional":false}}}}"#)
    #expect(returns("value").hasPrefix(#"{"type":"union","value":[{"type":"string"},{"type":"array""#))
    #expect(returns("nested") == #"{"type":"any"}"#)
    #expect(returns("first").contains(#""_id":{"fieldType":{"tableName":"notes","type":"id"},"optional":false}"#))
    #expect(returns("summary").contains(#""newest":{"fieldType":{"type":"string"},"optional":true}"#))
    #expect(returns("summary").contains(#""editor":{"fieldType":{"tableName":"notes","type":"id"},"optional":true}"#))
  }

  @Test("Codable types and enums with payloads are arguments, fields and answers")
  func swiftTypes() throws {
    let (server, client) = try start()
    let first = client.ask(server, #"mutation answers:insert {"text":"a","mood":{"mood":"fine"},"level":2}"#)
    let second = client.ask(
      server,
      #"mutation answers:insert {"text":"b","mood":{"mood":"bad","because":"rain","note":\#(first)},"author":{"books":["x"],"name":"ada","seal":{"$bytes":"AQ=="},"editor":null}}"#
    )
    #expect(client.ask(server, #"query answers:mood {"id":\#(first)}"#) == #""fine""#)
    #expect(client.ask(server, #"query answers:mood {"id":\#(second)}"#) == #""bad because rain""#)
    #expect(client.ask(server, #"query answers:author {"id":\#(second)}"#) == #"["x"]"#)
    #expect(client.ask(server, #"query answers:author {"id":\#(first)}"#) == "null")
    #expect(client.ask(server, "query answers:levels") == "[2,null]")
    #expect(
      client.ask(server, "query answers:summary")
        == #"{"authors":[{"books":["x"],"name":"ada","seal":{"$bytes":"AQ=="}}],"count":2,"newest":"b"}"#)
    #expect(client.ask(server, "query answers:decoded") == #"["a","b"]"#)
    #expect(client.ask(server, "query answers:misdecoded") == #""text: expected number, found string""#)
    try server.restart()
    #expect(server.connect().ask(server, #"query answers:mood {"id":\#(second)}"#) == #""bad because rain""#)
  }

  @Test("Arrays and records of Codable types and enums are arguments and fields too")
  func containers() throws {
    let (server, client) = try start()
    let id = client.ask(server, #"mutation answers:insert {"text":"a"}"#)
    func review(_ reviewers: String, _ moods: String) -> String {
      client.ask(server, #"mutation answers:review {"id":\#(id),"reviewers":\#(reviewers),"moods":\#(moods)}"#)
    }
    let moods = #"{"b":[],"a":[{"mood":"fine"},{"because":"rain","mood":"bad"}]}"#
    #expect(review(#"[{"name":"x","books":[]}]"#, moods) == #"["[\"x\"]","true"]"#)
    #expect(review(#"[{"name":"y","books":["b"]}]"#, moods) == #"["[\"x\", \"y\"]","true"]"#)
    #expect(review("[{}]", moods) == "invalid_arguments: args.reviewers[0].name: expected string, found nothing")
    #expect(review("[]", #"{"a":[{"mood":"bad"}]}"#) == "invalid_arguments: args.moods.a[0].because: expected string, found nothing")
    #expect(review("[]", #"{"":[]}"#).hasPrefix("invalid_arguments: args.moods: "))
  }

  @Test("Arguments of Codable types and enums fail with their paths; ids in them must be of their table")
  func argumentErrors() throws {
    let (server, client) = try start()
    func insert(_ more: String) -> String { client.ask(server, #"mutation answers:insert {"text":"a",\#(more)}"#) }
    #expect(insert(#""author":{"name":"a"}"#) == "invalid_arguments: args.author.books: expected array of string, found nothing")
    #expect(insert(#""author":{"name":"a","books":["b",1]}"#) == "invalid_arguments: args.author.books[1]: expected string, found number")
    #expect(insert(#""author":{"name":"a","books":[],"age":1}"#) == "invalid_arguments: args.author.age: expected no such field, found number")
    #expect(insert(#""mood":{"mood":"sad"}"#) == #"invalid_arguments: args.mood.mood: expected "fine" or "bad", found another string"#)
    #expect(insert(#""mood":{"mood":"bad"}"#) == "invalid_arguments: args.mood.because: expected string, found nothing")
    #expect(insert(#""level":3"#) == "invalid_arguments: args.level: expected 1 or 2, found another number")
    let stranger = DocumentID(tableNumber: 99, high: 1, low: 1)
    #expect(
      insert(#""author":{"name":"a","books":[],"editor":"\#(stranger)"}"#)
        == "invalid_arguments: args.author.editor: expected id of notes, found id of no table here")
    let id = insert(#""level":1"#)
    #expect(
      client.ask(server, #"mutation answers:setAuthor {"id":\#(id),"editor":"\#(stranger)"}"#)
        == "schema_violation: document of table notes: author.editor: expected id of notes, found id of another table")
    #expect(
      client.ask(server, #"mutation _system:patch {"id":\#(id),"fields":{"mood":{"mood":"bad","because":1}}}"#).contains(
        #"mood: expected {mood: "fine"} or {mood: "bad", because: string, note?: id of notes}, found object; as {mood: "fine"}: "#))
  }

  @Test("A call that is made in Swift sends what the server reads")
  func calls() throws {
    #expect(
      String(decoding: Answers.insert("a", .bad(.init(because: "b")), Author(name: "n", books: []), .high).arguments, as: UTF8.self)
        == #"{"author":{"books":[],"name":"n"},"level":2,"mood":{"because":"b","mood":"bad"},"text":"a"}"#)
  }
}
