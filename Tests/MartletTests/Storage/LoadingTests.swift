import CMalloc
import MartletTesting
import MartletValues
import Testing

@testable import Martlet

@Suite("Loading documents at start")
struct LoadingTests {
  private static func id(_ table: UInt32, _ random: inout TreeGenerator) -> DocumentID {
    DocumentID(tableNumber: table, high: random.next() >> 8, low: random.next())
  }

  private static func put(_ loader: DocumentLoader, _ id: DocumentID, _ time: Double, _ text: String) {
    Array(#"{"text":"\#(text)"}"#.utf8).withUnsafeBytes { loader.put(id, creationTime: time, json: $0) }
  }

  @Test("Documents in order, then changes in any: what is loaded is what was written last", arguments: [10, 30_000])
  func model(_ count: Int) throws {
    var random = TreeGenerator(seed: UInt64(count))
    let loader = DocumentLoader()
    var model: [DocumentID: (Double, String)] = [:]
    let tables: [UInt32] = [10_001, 10_002, 10_005]
    var ids = (0..<count).map { Self.id(tables[$0 % 3], &random) }
    for (number, id) in ids.sorted().enumerated() {
      let text = String(repeating: "x", count: Int.random(in: 0..<40, using: &random)) + "\(number)"
      Self.put(loader, id, Double(number) + 0.5, text)
      model[id] = (Double(number) + 0.5, text)
    }
    // The third table is left as it is.
    for step in 0..<count / 2 {
      let id = ids.randomElement(using: &random)!
      guard id.tableNumber != 10_005 else { continue }
      if step % 3 == 0 {
        loader.delete(id)
        model[id] = nil
      } else {
        let fresh = step % 3 == 1 ? id : Self.id(id.tableNumber, &random)
        ids.append(fresh)
        let time = model[fresh]?.0 ?? 1e9 + Double(step)
        Self.put(loader, fresh, time, "changed \(step)")
        model[fresh] = (time, "changed \(step)")
      }
    }
    let loaded = try loader.finish()
    #expect(Set(loaded.keys) == Set(tables))
    for (number, var table) in loaded {
      let (documents, times) = table.finish()
      #expect((times != nil) == (number == 10_005))
      let expected = model.filter { $0.key.tableNumber == number }
      #expect(documents.count == expected.count)
      try documents.checkInvariants()
      let layout = TableLayout(number: number, definition: TableDefinition(name: "t", fields: [.init(name: "text", shape: .string)], indexes: []))
      var contents = TableContents(documents: documents, layout: layout)
      contents.adopt(byCreationTime: times?.makeTree() ?? contents.makeByCreationTime())
      try contents.checkInvariants(layout: layout)
      contents.forEachDocument { document in
        let (time, text) = expected[document.id] ?? (-1, "")
        #expect(document.creationTime == time && document.value(of: "text").map { String(decoding: $0, as: UTF8.self) } == "\"\(text)\"")
      }
      var order: [Double] = []
      contents.forEach(in: .byCreationTime, from: nil, to: nil, descending: false) { _, document in
        order.append(document.creationTime)
        return true
      }
      #expect(order == expected.values.map(\.0).sorted())
      #expect(contents.lastCreationTime == order.last ?? 0)
    }
  }

  @Test("Of two documents whose ids have their first half in common, by_creation_time tells the right one")
  func commonHalf() throws {
    let layout = TableLayout(number: 10_001, definition: TableDefinition(name: "t", fields: [.init(name: "text", shape: .string)], indexes: []))
    let loader = DocumentLoader()
    let lows: [UInt64] = [0, 1, 7, .max]
    for (number, low) in lows.enumerated() {
      Self.put(loader, DocumentID(tableNumber: 10_001, high: 5, low: low), Double(10 - number), "\(number)")
    }
    var table = try #require(try loader.finish()[10_001])
    var contents = TableContents(documents: table.finish().documents, layout: layout)
    contents.buildIndexes(layout: layout)
    var found: [UInt64] = []
    contents.forEach(in: .byCreationTime, from: nil, to: nil, descending: true) { _, document in
      found.append(document.id.low)
      return true
    }
    #expect(found == lows)
  }

  @Test("JSON that is none ends the loading with its error, in a parcel that another thread unpacks as well", arguments: [0, 20_000])
  func malformed(_ before: Int) {
    var random = TreeGenerator(seed: 1)
    let loader = DocumentLoader()
    for number in 0..<before { Self.put(loader, Self.id(10_001, &random), Double(number), "x") }
    Array("{\"text\":".utf8).withUnsafeBytes { loader.put(Self.id(10_001, &random), creationTime: 1, json: $0) }
    for number in 0..<before { Self.put(loader, Self.id(10_001, &random), Double(number), "x") }
    #expect(throws: JSONError.self) { try loader.finish() }
  }

  @Test("A glance passes nothing that the whole check refuses, and most of what it passes", arguments: 1...4 as ClosedRange<UInt64>)
  func glance(seed: UInt64) throws {
    var random = TreeGenerator(seed: seed)
    let shapes: [(String, ValidatorShape, [String])] = [
      ("Name", .string, [#""a""#, #""""#, "1"]),
      ("done", .optional(.boolean), ["true", "false", "null", #""true""#]),
      ("count", .wholeNumber, ["1", "-1", "1.5", "9007199254740993", "123456789012345"]),
      ("owner", .id(table: "t"), [#""\#(DocumentID(tableNumber: 10_001, high: 1, low: 2))""#, #""\#(DocumentID(tableNumber: 9, high: 1, low: 2))""#, #""x""#]),
      ("weight", .float64, ["1e300", "-0.0", #"{"$float":"AAAAAAAA8H8="}"#, "[]"]),
      ("any", .any, ["[1]", "{}"]),
    ]
    let restorer = DocumentRestorer()
    var passed = 0
    for _ in 0..<2_000 {
      let fields = shapes.filter { _ in Int.random(in: 0..<3, using: &random) > 0 }
      let layout = TableLayout(
        number: 10_001, definition: TableDefinition(name: "t", fields: fields.map { .init(name: $0.0, shape: $0.1) }, indexes: []))
      let members = shapes.filter { _ in Int.random(in: 0..<8, using: &random) > 0 }.filter { shape in
        fields.contains { $0.0 == shape.0 } || Int.random(in: 0..<9, using: &random) == 0
      }
      .map { (name: $0.0, json: Int.random(in: 0..<2, using: &random) == 0 ? $0.2[0] : $0.2.randomElement(using: &random)!) }
      .sorted { Array($0.name.utf8).lexicographicallyPrecedes(Array($1.name.utf8)) }
      let json = "{" + members.map { "\"\($0.name)\":\($0.json)" }.joined(separator: ",") + "}"
      let document = try Array(json.utf8).withUnsafeBytes {
        try restorer.document(id: DocumentID(tableNumber: 10_001, high: random.next(), low: 1), creationTime: 5, json: $0)
      }
      guard let glance = DocumentGlance(layout, numbers: ["t": 10_001]), glance.fits(document) else { continue }
      passed += 1
      #expect(throws: Never.self, "\(json)") { try layout.check(document, tableNumber: { $0 == "t" ? 10_001 : nil }, maximumDepth: 64) }
    }
    #expect(passed > 100)
  }

  // MARK: Memory

  private static func bytes<Key, Payload>(_ tree: OrderedTree<Key, Payload>) -> Int {
    func bytes(_ node: TreeNode<Key, Payload>) -> Int {
      let view = TreeNodeView(node)
      let own = martlet_heap_size(Unmanaged.passUnretained(node).toOpaque())
      return view.isLeaf ? own : (0..<view.count).reduce(own) { $0 + bytes(view.children[$1]) }
    }
    return tree.root.map(bytes) ?? 0
  }

  @Test("What a document takes of memory: as docs/operating.md states it", arguments: [60, 200, 1_000])
  func bytesOfADocument(_ textBytes: Int) throws {
    var random = TreeGenerator(seed: 7)
    let count = 20_000
    let index = TableDefinition.Index(name: "by_text", fields: ["text"])
    let layout = TableLayout(
      number: 10_001,
      definition: TableDefinition(
        name: "t", fields: [.init(name: "text", shape: .string), .init(name: "number", shape: .float64)],
        indexes: [TableDefinition.Index(name: "by_number", fields: ["number"]), index]))
    let loader = DocumentLoader()
    for number in 0..<count {
      let text = String(repeating: "x", count: Int.random(in: textBytes / 2..<textBytes, using: &random))
      Array(#"{"number":\#(number),"text":"\#(text)"}"#.utf8).withUnsafeBytes {
        loader.put(DocumentID(tableNumber: 10_001, high: UInt64(number) << 32, low: random.next()), creationTime: 1.7e12 + Double(number), json: $0)
      }
    }
    var table = try #require(try loader.finish()[10_001])
    var contents = TableContents(documents: table.finish().documents, layout: layout)
    contents.buildIndexes(layout: layout)
    var documents = 0
    var json = 0
    contents.forEachDocument {
      documents += martlet_heap_size(Unmanaged.passUnretained($0.buffer).toOpaque())
      json += $0.jsonCount
    }
    // Four fields, two of them the system's.
    let perDocument = Double(documents + Self.bytes(contents.documents) + Self.bytes(contents.byCreationTime) - json) / Double(count)
    #expect(perDocument <= 60 + 4 * 4 + 16 + 44, "\(perDocument) bytes beside the JSON")
    #expect(perDocument >= 60 + 4 * 4 + 44, "then it is less than stated: \(perDocument)")
    let perEntry = Double(Self.bytes(contents.indexes[0].countedTree)) / Double(count)
    #expect((56...60).contains(perEntry), "\(perEntry) bytes an entry of an index of a number")
  }
}
