import MartletClient
import MartletCommands

struct Todos: Table {
  static let name = "todos"

  let text = Field(.string)
  let isDone = Field(.boolean)
  let finishedAt = Field(.optional(.double))

  let byDone = Index("by_done", \Todos.isDone)
}

enum TodoFunctions: FunctionModule {
  static let path = "todos"
  static let functions: [any ServerFunction] = [add, finish, open, openCount]

  static let add = Mutation("add", Arg("text", .string)) { ctx, text in
    guard !text.isEmpty else { throw ApplicationError("A todo needs a text") }
    return try ctx.db.insert(Todos.self) {
      $0.text = text
      $0.isDone = false
    }
  }

  static let finish = Mutation("finish", Arg("id", .id(Todos.self))) { ctx, id in
    let todo = try ctx.db.get(id)
    guard !todo.isDone else { throw ApplicationError("\(todo.text) is done already") }
    try ctx.db.patch(id) {
      $0.isDone = true
      $0.finishedAt = ctx.now
    }
  }

  static let open = Query("open", Arg("limit", .optional(.wholeNumber))) { ctx, limit in
    try ctx.db.query(Todos.self).withIndex(\.byDone) { $0.eq(\.isDone, false) }.take(limit ?? 100)
  }

  static let openCount = Query("openCount") { ctx in
    try ctx.db.query(Todos.self).withIndex(\.byDone) { $0.eq(\.isDone, false) }.count()
  }
}

/// The README's app, as its `main.swift` starts it.
func todosMain() async {
  await MartletApp(schema: [Todos.self], functions: [TodoFunctions.self], name: "todos").main()
}

func todosClient() async throws {
  let client = try await MartletClient.connect(url: "martlet://127.0.0.1:7433")
  let id = try await client.run(TodoFunctions.add("Feed the birds"))
  print("Added \(id)")
  for try await todos in client.subscribe(TodoFunctions.open(nil)) {
    print(todos.map(\.text))
  }
}
