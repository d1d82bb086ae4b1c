import MartletTransfer
import MartletValues
import TestSupport
import Testing

@Suite("CSV")
struct CSVTests {
  static func rows(_ text: String, _ hint: TypeHint = .any) throws -> (documents: [ObjectValue], problems: [ImportProblem]) {
    try allRows(of: CSVReader(ByteSource(Array(text.utf8)), hint))
  }

  @Test("Line ends, quotes, commas, a byte order mark and blank lines are read as RFC 4180 has them")
  func forms() throws {
    let text = "\u{FEFF}a,\"b\",c\r\n1,\"x,\"\"y\"\"\r\nz\",\r\n\n\"\",5\" pipe,true\r2,,null"
    let (documents, problems) = try Self.rows(text)
    #expect(problems.isEmpty)
    #expect(
      documents == [
        ["a": 1, "b": "x,\"y\"\r\nz"], ["a": "", "b": "5\" pipe", "c": true], ["a": 2, "c": nil],
      ])
  }

  @Test("What a cell means is told by the schema, and inferred where that leaves it open")
  func types() throws {
    let hint = TypeHint(
      json: try Value(
        json: #"""
          {"type":"object","value":{"zip":{"fieldType":{"type":"string"},"optional":false},"n":{"fieldType":{"type":"number"},"optional":true},
          "i":{"fieldType":{"type":"bigint"},"optional":false},"f":{"fieldType":{"type":"boolean"},"optional":false},
          "x":{"fieldType":{"type":"bytes"},"optional":false},"l":{"fieldType":{"type":"array","value":{"type":"bigint"}},"optional":false},
          "o":{"fieldType":{"type":"union","value":[{"type":"string"},{"type":"null"}]},"optional":false}}}
          """#))
    let (documents, problems) = try Self.rows("zip,n,i,f,x,l,o\n00501,NaN,-9223372036854775808,TRUE,AAH/,\"[1,2]\",null\n,,5,false,\"\",[],\"null\"\n", hint)
    #expect(problems.isEmpty)
    #expect(
      documents == [
        ["zip": "00501", "n": .float64(.nan), "i": .int64(.min), "f": true, "x": .bytes([0, 1, 255]), "l": [.int64(1), .int64(2)], "o": nil],
        ["zip": "", "i": .int64(5), "f": false, "x": .bytes([]), "l": [], "o": "null"],
      ])
    let inferred = try Self.rows(
      "a\n00501\n1.50\n\"1.5\"\n12345678901234567890\n9007199254740993\n9007199254740992\n-0\n1e3\n\"{\"\"a\"\":[1]}\"\n{broken\n\"\"\"quoted\"\"\"\nNaN\n 7\n").documents
    #expect(
      inferred.map { $0["a"] } == [
        "00501", 1.5, "1.5", "12345678901234567890", "9007199254740993", 0x1p53, .float64(-0.0), 1000, ["a": [1]], "{broken", "\"quoted\"", "NaN", " 7",
      ])
  }

  @Test("What is wrong is told with its line, column or field, and reading goes on")
  func problems() throws {
    let hint = TypeHint(json: ["type": "object", "value": ["n": ["fieldType": ["type": "number"], "optional": false]]])
    let (documents, problems) = try Self.rows("n,m\n1,a\nx,b\n2\n3,\"a\"b\n,c\n\"4\n\n5\",d\n6,\"open\nto the end", hint)
    #expect(documents.map { $0["n"] } == [1])
    #expect(
      problems.map(\.text) == [
        "3: n: expected number, found text that is none", "4: expected 2 cells, as the first line has, found 1",
        "5:6: expected , or the line's end after the closing quote; a quote within quotes is doubled",
        "6: n: expected number, found an empty cell", "7: n: expected number, found text that is none",
        "10:3: the quote that begins here doesn't end",
      ])
    #expect(try Self.rows("").problems.map(\.text) == ["1: the file is empty; its first line must name the fields"])
    #expect(try Self.rows("a,,b\n").problems.map(\.line) == [1])
    #expect(try Self.rows("a,$x\n1,2\n").problems.map { "\($0.line) \($0.field ?? "")" } == ["1 $x"])
    #expect(try Self.rows("a,b,a\n").problems.map(\.field) == ["a"])
    let notText = try allRows(of: CSVReader(ByteSource([0x61, 0x0A, 0xFF, 0x0A]), .any)).problems
    #expect(notText.map(\.text) == ["2: a: the text is not UTF-8"])
  }

  @Test("Any values come back from CSV as they were, with a schema and without", arguments: 0..<20)
  func roundTrip(seed: UInt64) throws {
    var random = TestRandom(seed: seed)
    let declared = TypeHint(
      json: try Value(
        json: #"""
          {"type":"object","value":{"s":{"fieldType":{"type":"string"},"optional":true},"d":{"fieldType":{"type":"number"},"optional":true},
          "i":{"fieldType":{"type":"bigint"},"optional":true},"b":{"fieldType":{"type":"bytes"},"optional":true},
          "u":{"fieldType":{"type":"union","value":[{"type":"bigint"},{"type":"string"},{"type":"null"}]},"optional":true},
          "x":{"fieldType":{"type":"any"},"optional":true}}}
          """#))
    for hint in [TypeHint.any, declared] {
      let documents = (0..<100).map { index -> ObjectValue in
        var document: ObjectValue = ["_id": .string("id\(index)"), "_creationTime": .float64(Double(index))]
        if !random.oneIn(4) { document["s"] = .string(random.text()) }
        if !random.oneIn(4) { document["d"] = .float64(random.float()) }
        if !random.oneIn(4) { document["i"] = .int64(random.integer()) }
        if !random.oneIn(4) { document["b"] = .bytes(random.bytes()) }
        if !random.oneIn(4) { document["u"] = random.element(of: [.int64(random.integer()), .string(random.text()), .null]) }
        if !random.oneIn(4) { document["x"] = random.value(depth: 3) }
        return document
      }
      var bytes: [UInt8] = []
      let writer = CSVWriter({ bytes += $0 }, fields: ["s", "d", "i", "b", "u", "x"], hint)
      try writer.begin()
      for document in documents { try Array(Value.object(document).json.utf8).withUnsafeBytes { try writer.write($0) } }
      try writer.end()
      let read = try allRows(of: CSVReader(ByteSource(bytes), hint))
      #expect(read.problems.isEmpty)
      #expect(read.documents == documents, "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
    }
  }
}
