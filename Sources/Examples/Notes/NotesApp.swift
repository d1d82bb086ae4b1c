import Martlet

/// Notes: one table, one field, no index. The least that an app can be, and what a document costs by itself.
public enum NotesApp {
  public static var tables: [any Table.Type] { [Notes.self] }
  public static var modules: [any FunctionModule.Type] { [NoteFunctions.self] }
}

public struct Notes: Table {
  public static let name = "notes"

  public let text = Field(.string)

  public init() {}
}

public enum NoteFunctions: FunctionModule {
  public static let path = "notes"
  public static let functions: [any ServerFunction] = [add, addMany, get, newest, remove]

  public static let add = Mutation("add", Arg("text", .string)) { ctx, text in
    try ctx.db.insert(Notes.self) { $0.text = text }
  }

  /// Answers the ids in the order of the texts.
  public static let addMany = Mutation("addMany", Arg("texts", .array(.string))) { ctx, texts in
    try texts.map { text in try ctx.db.insert(Notes.self) { $0.text = text } }
  }

  public static let get = Query("get", Arg("id", .id(Notes.self))) { ctx, id in
    try ctx.db.get(id)
  }

  public static let newest = Query("newest", Arg("limit", .wholeNumber, default: 20)) { ctx, limit in
    try ctx.db.query(Notes.self).order(.descending).take(limit)
  }

  public static let remove = Mutation("remove", Arg("id", .id(Notes.self))) { ctx, id in
    try ctx.db.delete(id)
  }
}
