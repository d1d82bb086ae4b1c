import MartletTransfer
import MartletValues
import TestSupport

func allRows(of reader: some DocumentReader) throws -> (documents: [ObjectValue], problems: [ImportProblem]) {
  var documents: [ObjectValue] = []
  var problems: [ImportProblem] = []
  while let row = try reader.next() {
    switch row {
    case .document(let document, _): documents.append(document)
    case .problem(let problem): problems.append(problem)
    }
  }
  return (documents, problems)
}

extension TestRandom {
  mutating func text() -> String {
    let pieces = [
      "", "a", "null", "true", "-", "00501", "12", "1e5", "\"", "\"\"", ",", "\n", "\r\n", "\t", "{", "{}", "[1]", "\"[1]\"", "é", "e\u{301}", "👩‍👩‍👧", "\u{0}",
      "\u{2028}", " ", "\\", "$", "NaN", "𝄞",
    ]
    return (0..<number(0..<4)).map { _ in element(of: pieces) }.joined()
  }

  mutating func float() -> Double {
    element(of: [
      0, -0.0, 1, -1.5, .nan, .infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude, 0x1p53, 0x1p53 + 2, 1e21, 0.1 + 0.2,
      Double(bitPattern: 0x7FF8_0000_0000_0001), Double(number(-1_000_000..<1_000_000)) / 1_000, Double(bitPattern: next() & 0xBFFF_FFFF_FFFF_FFFF),
    ])
  }

  mutating func integer() -> Int64 { element(of: [0, 1, -1, .min, .max, 1 << 53 + 1, Int64(bitPattern: next())]) }

  mutating func bytes() -> [UInt8] { (0..<number(0..<5)).map { _ in UInt8(truncatingIfNeeded: next()) } }

  mutating func value(depth: Int) -> Value {
    switch number(0..<(depth > 0 ? 8 : 6)) {
    case 0: .null
    case 1: .boolean(oneIn(2))
    case 2: .int64(integer())
    case 3: .float64(float())
    case 4: .string(text())
    case 5: .bytes(bytes())
    case 6: .array((0..<number(0..<4)).map { _ in value(depth: depth - 1) })
    default: .object(object(depth: depth - 1))
    }
  }

  mutating func object(depth: Int) -> ObjectValue {
    var object = ObjectValue()
    for _ in 0..<number(0..<4) { object[element(of: ["a", "b c", "d\"", "e\\", "~", "_f", "0"])] = value(depth: depth) }
    return object
  }
}
