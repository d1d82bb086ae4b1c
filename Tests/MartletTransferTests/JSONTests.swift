import MartletTransfer
import MartletValues
import TestSupport
import Testing

@Suite("JSON files")
struct JSONTests {
  private func lines(_ text: String, _ hint: TypeHint = .any, _ dialect: JSONDialect = .martlet) throws -> (documents: [ObjectValue], problems: [ImportProblem]) {
    try allRows(of: JSONLinesReader(ByteSource(Array(text.utf8)), hint, dialect: dialect))
  }

  private func array(_ text: String) throws -> (documents: [ObjectValue], problems: [ImportProblem]) {
    try allRows(of: JSONArrayReader(ByteSource(Array(text.utf8)), .any))
  }

  @Test("Lines: blank ones are passed, and each that is broken is told with its column")
  func lines() throws {
    let (documents, problems) = try lines("\u{FEFF}{\"a\":1}\r\n\n  \n{\"a\":}\n[1]\n{\"a\":2} x\n{\"a\":1,\"a\":2}\n{\"$integer\":\"AAAAAAAAAAA=\"}\n{\"b\":{\"$integer\":\"BQAAAAAAAAA=\"}}")
    #expect(documents == [["a": 1], ["b": .int64(5)]])
    #expect(problems.map { "\($0.line):\($0.column ?? 0)" } == ["4:6", "5:1", "6:9", "7:1", "8:1"])
    #expect(try lines("{\"$a\":1}").problems.map(\.text) == ["1:1: a field's name can't begin with $"])
    #expect(problems[1].message == "a document is a JSON object, and this is an array")
  }

  @Test("UTF-16 is told as what it is")
  func otherEncodings() throws {
    for bytes in [[0xFF, 0xFE, 0x7B, 0], [0xFE, 0xFF, 0, 0x7B]] as [[UInt8]] {
      #expect(throws: TransferError.self) { try JSONLinesReader(ByteSource(bytes), .any) }
      #expect(throws: TransferError.self) { try CSVReader(ByteSource(bytes), .any) }
    }
  }

  @Test("A line that is longer than any document is told, and not held")
  func longLine() throws {
    let text = Array(("{\"a\":\"" + String(repeating: "x", count: 200_000) + "\"}\n{\"a\":1}\n").utf8)
    let (documents, problems) = try allRows(of: JSONLinesReader(ByteSource(text), .any, longest: 100_000))
    #expect(documents == [["a": 1]] && problems.map(\.line) == [1])
    let array = [UInt8(ascii: "[")] + text.dropLast(9) + Array(",{\"a\":1}]".utf8)
    let inArray = try allRows(of: JSONArrayReader(ByteSource(array), .any, longest: 100_000))
    #expect(inArray.documents == [["a": 1]] && inArray.problems.map(\.line) == [1])
  }

  @Test("An array's elements are read one by one; one that is broken is told with its line and column")
  func arrays() throws {
    let (documents, problems) = try array("\n[\n {\"a\": [1, {\"b\": \"]},\\\"\"}]},\n  {\"a\": 1,\n   \"b\": x},\n 5, {}\n]\n")
    #expect(documents == [["a": [1, ["b": "]},\""]]], [:]])
    #expect(problems.map { "\($0.line):\($0.column ?? 0)" } == ["5:9", "6:2"])
    #expect(try array("[]").documents.isEmpty && array("[]").problems.isEmpty)
  }

  @Test(
    "What is wrong between the elements is told, and ends the reading",
    arguments: [
      ("", "1:1"), ("{}", "1:1"), ("[{}", "1:4"), ("[{} {}]", "1:5"), ("[{},]", "1:5"), ("[{}]x", "1:5"), ("[\n{}}\n]", "2:3"),
    ])
  func brokenArrays(text: String, place: String) throws {
    #expect(try array(text).problems.map { "\($0.line):\($0.column ?? 0)" } == [place])
  }

  @Test("Bare numbers are what the schema says, else what the dialect does")
  func numbers() throws {
    let schema = TypeHint(
      json: ["type": "object", "value": ["i": ["fieldType": ["type": "bigint"], "optional": false], "f": ["fieldType": ["type": "number"], "optional": false]]])
    let text = #"{"i":9007199254740993,"f":3,"x":4,"y":4.0,"z":-0}"#
    #expect(try lines(text, schema).documents == [["i": .int64(9_007_199_254_740_993), "f": 3, "x": 4, "y": 4, "z": .float64(-0.0)]])
    #expect(
      try lines(text, schema, .uniform).documents
        == [["i": .int64(9_007_199_254_740_993), "f": 3, "x": .int64(4), "y": 4, "z": .float64(-0.0)]])
    let old = TypeHint(
      json: [
        "type": "object",
        "value": [
          "i": ["fieldType": ["type": "bigint"], "optional": false], "b": ["fieldType": ["type": "bytes"], "optional": false],
          "f": ["fieldType": ["type": "number"], "optional": false],
        ],
      ])
    #expect(
      try lines(#"{"i":"-5","b":"AAE=","f":"NaN","s":"5"}"#, old, .schemaDriven).documents
        == [["i": .int64(-5), "b": .bytes([0, 1]), "f": .float64(.nan), "s": "5"]])
  }

  @Test("Any documents come back from lines, arrays and Convex's lines as they were", arguments: 0..<20)
  func roundTrips(seed: UInt64) throws {
    var random = TestRandom(seed: seed)
    let documents = (0..<50).map { _ in random.object(depth: 6) }
    func written(_ make: (@escaping ByteSink) -> any DocumentWriter) throws -> [UInt8] {
      var bytes: [UInt8] = []
      let writer = make { bytes += $0 }
      try writer.begin()
      for document in documents { try Array(Value.object(document).json.utf8).withUnsafeBytes { try writer.write($0) } }
      try writer.end()
      return bytes
    }
    #expect(try allRows(of: JSONLinesReader(ByteSource(written { JSONLinesWriter($0) }), .any)).documents == documents)
    #expect(try allRows(of: JSONArrayReader(ByteSource(written { JSONArrayWriter($0) }), .any)).documents == documents)
    #expect(try allRows(of: JSONLinesReader(ByteSource(written { UniformLinesWriter($0) }), .any, dialect: .uniform)).documents == documents)
  }
}
