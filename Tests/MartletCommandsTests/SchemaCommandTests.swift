import MartletValues
import Testing

@testable import MartletCommands

@Suite("Types and tables in words")
struct SchemaCommandTests {
  static let shapes: [(ValidatorShape, String)] = [
    (.union([.string, .null]), "string or null"),
    (.array(.union([.string, .null])), "array of (string or null)"),
    (.array(.union([.string])), "array of string"),
    (.union([.union([.string, .float64]), .string]), "string or number"),
    (.union([]), "no value"),
    (.record(.union([.int64, .bytes])), "record of (int64 or bytes)"),
    (.literal(.int64(5)), "5n"),
    (.array(.array(.id(table: "users"))), "array of array of id of users"),
    (
      .object([
        .init(name: "city", shape: .string), .init(name: "zip code", shape: .optional(.union([.string, .float64]))),
        .init(name: "at", shape: .object([.init(name: "x", shape: .float64)]), optional: true),
      ]), #"{at?: {x: number}, city: string, "zip code"?: string or number}"#
    ),
    (.object([]), "{}"),
  ]

  @Test("Nested types are told without doubt about what belongs to what", arguments: shapes)
  func shape(shape: ValidatorShape, text: String) { #expect(ShapeText.of(shape.jsonForm) == text) }

  @Test("What a function returns is told where it is declared, and no column is made where nothing is")
  func returns() {
    func function(_ name: String, _ returns: ValidatorShape) -> Value {
      [
        "name": .string(name), "kind": "query", "visibility": "public", "args": ValidatorShape.object([]).jsonForm,
        "returns": returns.jsonForm,
      ]
    }
    #expect(
      FunctionsCommand.table([function("a:a", .any), function("a:b", .array(.string))]).render() == """
        function  kind   arguments  returns
        ────────  ─────  ─────────  ───────────────
        a:a       query
        a:b       query             array of string

        """)
    #expect(!FunctionsCommand.table([function("a:a", .any)]).render().contains("returns"))
  }

  @Test("A table's whole document is told by the table's name, a part of it by its fields")
  func documents() {
    let id = ValidatorShape.Member(name: "_id", shape: .id(table: "users"))
    let document = ValidatorShape.object([id, .init(name: "age", shape: .float64)])
    let tables: [Value] = [["name": "users", "schema": document.jsonForm], ["name": "notes", "schema": ["type": "any"]]]
    func text(_ shape: ValidatorShape) -> String { ShapeText.of(ShapeText.namingDocuments(shape.jsonForm, of: tables)) }
    #expect(text(document) == "document of users")
    #expect(text(.object([.init(name: "page", shape: .array(document))])) == "{page: array of document of users}")
    #expect(text(.union([document, .null])) == "document of users or null")
    #expect(text(.object([id])) == "{_id: id of users}")
    #expect(text(.any) == "any value")
  }

  @Test("What is too wide goes on in the next line, and loses nothing")
  func wrapping() {
    let function: Value = [
      "name": "orders:find", "kind": "query", "visibility": "public",
      "args": ValidatorShape.object([
        .init(name: "status", shape: .enumeration(["pending", "paid", "shipped"])), .init(name: "limit", shape: .float64, optional: true),
      ]).jsonForm,
    ]
    var table = FunctionsCommand.table([function])
    table.maximumLineWidth = 44
    #expect(
      table.render() == """
        function     kind   arguments
        ───────────  ─────  ────────────────────────
        orders:find  query  limit?: number, status:
                              "pending" or "paid" or
                              "shipped"

        """)
  }

  @Test("A table is told with its fields, its indexes and what is special about these")
  func table() {
    let shape = ValidatorShape.object([
      .init(name: "_creationTime", shape: .float64), .init(name: "_id", shape: .id(table: "users")), .init(name: "email", shape: .string),
      .init(name: "age", shape: .float64, optional: true),
    ])
    let description: Value = [
      "name": "users", "documents": 1, "schema": shape.jsonForm,
      "indexes": [
        ["name": "by_id", "fields": ["_id"]], ["name": "by_email", "fields": ["email"], "unique": true],
        ["name": "by_age", "fields": ["age", "email"], "sum": "age", "unique": false],
      ],
    ]
    #expect(
      TableDescription(description).text(columns: nil) == """
        ── users: 1 document ──
        field          type
        ─────────────  ───────────
        _id            id of users
        age?           number
        email          string
        _creationTime  number

        index     fields
        ────────  ──────────  ────────
        by_id     _id
        by_email  email       unique
        by_age    age, email  sums age

        """)
  }

  @Test("A table without a schema says so, and without marks there is no column for them")
  func schemaless() {
    let description: Value = [
      "name": "notes", "documents": 2, "schema": ["type": "any"], "indexes": [["name": "by_id", "fields": ["_id"]]],
    ]
    #expect(
      TableDescription(description).text(columns: nil) == """
        ── notes: 2 documents ──
        documents: any value

        index  fields
        ─────  ──────
        by_id  _id

        """)
  }
}
