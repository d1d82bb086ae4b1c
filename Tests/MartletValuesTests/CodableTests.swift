import Foundation
import Testing

@testable import MartletValues

private enum Kind: String, Codable, CaseIterable { case home, work }
private enum Level: Int, Codable, CaseIterable { case low = 1, high = 2 }

private struct Geo: Codable, Equatable {
  var lat: Double
  var lon: Double
}

private struct Address: Codable, Equatable, Sendable {
  var street: String
  var number: Int
  var kind: Kind
  var level: Level?
  var geo: Geo?
  var tags: [String]
  var rates: [String: Double]
  var serial: Int64
  var seal: Bytes
  var door: UInt8
  var isOpen: Bool
  var extra: Value?
  var owner: DocumentID?
  var history: [Geo]
}

private struct Pair: Codable, Equatable {
  var first: String
  var second: Int?
}

private struct Tree: Codable, Equatable {
  var name: String
  var children: [Tree]
}

private struct Renamed: Codable, Equatable {
  var identifier: String
  var count: Int = 7

  enum CodingKeys: String, CodingKey {
    case identifier = "_id"
  }
}

private class Animal: Codable {
  var name: String
  init(name: String) { self.name = name }
}

private struct Money: Codable, Equatable {
  var amount: Int
  var currency: String

  init(amount: Int, currency: String) {
    self.amount = amount
    self.currency = currency
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    amount = try container.decode(Int.self, forKey: .amount)
    currency = try container.decode(String.self, forKey: .currency)
    guard currency.count == 3 else {
      throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "a currency has three letters"))
    }
  }
}

private struct Item: Codable, Sendable {
  var a: String?
  var b: Double
  var ab: [Bool]

  static let validator = Validator<Item>.object(
    Property("a", \.a, .optional(.string)), Property("b", \.b, .double), Property("ab", \.ab, .array(.boolean))
  ) { Item(a: $0, b: $1, ab: $2) }
}

private struct Stubborn: Codable { var identifier: UUID }
private struct Dated: Codable { var when: Date }
private struct Wallet: Codable { var money: Money }

private struct Coloured: Codable { var colour: Colour }
private enum Colour: String, Codable { case red }

private struct Keyless: Encodable {
  func encode(to encoder: any Encoder) throws { throw EncodingError.invalidValue(0, .init(codingPath: [], debugDescription: "not today")) }
}

private struct Failing: Codable, Sendable {
  init() {}
  init(from decoder: any Decoder) throws { _ = try decoder.container(keyedBy: Key.self) }
  func encode(to encoder: any Encoder) throws { try Keyless().encode(to: encoder) }
  enum Key: CodingKey {}
}

private struct Statistics: CodableWireValue, Equatable {
  var messages: Int
  var byAuthor: [String: Int]
  var newest: String?
}

@Suite("Codable types")
struct CodableTests {
  private static let address: Validator<Address> = .codable()

  private func text(_ value: some Encodable) throws -> String {
    var writer = JSONWriter()
    try EncodedTree.of(value).write(to: &writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  @Test("A type's shape is learnt from what it reads")
  func shapes() throws {
    #expect(
      Self.address.shape.description
        == #"{street: string, number: whole number, kind: "home" or "work", level?: 1 or 2, geo?: {lat: number, lon: number}, "#
        + #"tags: array of string, rates: record of number, serial: int64, seal: bytes, door: whole number, isOpen: boolean, extra?: any value, "#
        + "owner?: string, history: array of {lat: number, lon: number}}")
    #expect(Validator.codable(Tree.self).shape.description == "{name: string, children: array of any value}")
    #expect(Validator.codable([Pair].self).shape.description == "array of {first: string, second?: whole number}")
    #expect(Validator.codable([[Int?]].self).shape.description == "array of array of whole number or null")
    #expect(Validator.codable(Renamed.self).shape.description == "{_id: string}")
    #expect(Validator.codable(Kind.self).shape == .enumeration(["home", "work"]))
    #expect(Validator.codable([String: Kind].self).shape == .record(.enumeration(["home", "work"])))
    #expect(try CodableShape.learn(Stubborn.self).description == "{identifier: string}")
    #expect(try CodableShape.learn(Animal.self).description == "{name: string}")
    #expect(Statistics.shape.description == "{messages: whole number, byAuthor: record of whole number, newest?: string}")
  }

  @Test("What can't be learnt is refused with the path and the reason")
  func unlearnable() {
    #expect(throws: UnlearnableShape.self) { try CodableShape.learn(Money.self) }
    let wallet = #expect(throws: UnlearnableShape.self) { try CodableShape.learn(Wallet.self) }
    #expect(wallet?.description.hasPrefix("money: Money refuses every placeholder") == true)
    let coloured = #expect(throws: UnlearnableShape.self) { try CodableShape.learn(Coloured.self) }
    #expect(coloured?.description == "colour: Colour has raw values, of which none is known; make it CaseIterable")
    #expect(wallet?.description.contains("a currency has three letters") == true)
    let dated = #expect(throws: UnlearnableShape.self) { try CodableShape.learn(Dated.self) }
    #expect(dated?.description.contains("Date is coded as seconds since 2001; keep milliseconds since 1970 in a Double") == true)
    #expect(dated?.path == ["when"])
    let linked = #expect(throws: UnlearnableShape.self) { try CodableShape.learn([Linked].self) }
    #expect(linked?.description.contains("links.[]: ") == false && linked?.description.hasSuffix("URL is coded as its parts; keep a String") == true)
    let payload = #expect(throws: UnlearnableShape.self) { try CodableShape.learn(Payload.self) }
    #expect(payload?.description.contains("declare its cases with .tagged or .union") == true)
  }

  @Test("With its shape given, a type with an initialiser of its own is checked by both")
  func given() {
    let shape = ValidatorShape.object([.init(name: "amount", shape: .wholeNumber), .init(name: "currency", shape: .string)])
    let money = Validator.codable(Money.self, shape: shape)
    #expect(message(money, #"{"amount":1,"currency":"EUR"}"#) == "accepted")
    #expect(message(money, #"{"amount":1,"currency":"E"}"#) == "expected Money, found a value that is none (a currency has three letters)")
    #expect(message(.array(money), #"[{"amount":1,"currency":"EUR"},{"amount":"1","currency":"EUR"}]"#) == "[1].amount: expected number, found string")
    #expect(money.mayRefuse)
  }

  @Test("Values are written canonically, and come back", arguments: 1...3)
  func roundTrips(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<300 {
      let geo = { (random: inout SeededGenerator) in Geo(lat: Double(random.below(1000)) / 8, lon: -Double(random.below(1000))) }
      let rates = (0..<random.below(4)).map { _ in ("rate\(random.below(100))", Double(random.below(1000)) / 4) }
      let address = Address(
        street: random.string(), number: random.below(2_000_000) - 1_000_000, kind: Kind.allCases.randomElement(using: &random)!,
        level: random.below(2) == 0 ? nil : .high, geo: random.below(2) == 0 ? nil : geo(&random),
        tags: (0..<random.below(3)).map { _ in random.string() }, rates: Dictionary(rates, uniquingKeysWith: { $1 }),
        serial: random.integer(), seal: Bytes((0..<random.below(9)).map { UInt8($0) }), door: UInt8(random.below(256)),
        isOpen: random.below(2) == 0, extra: random.below(2) == 0 ? nil : .array([random.value()]),
        owner: random.below(2) == 0 ? nil : DocumentID(tableNumber: 10_001, high: random.next(), low: random.next()),
        history: (0..<random.below(3)).map { _ in geo(&random) })
      var writer = JSONWriter()
      Self.address.encode(address, &writer)
      let text = String(decoding: writer.bytes, as: UTF8.self)
      // The same by hand.
      let object = { (geo: Geo) -> Value in ["lat": .float64(geo.lat), "lon": .float64(geo.lon)] }
      var expected: ObjectValue = [
        "street": .string(address.street), "number": .float64(Double(address.number)), "kind": .string(address.kind.rawValue),
        "tags": .array(address.tags.map { .string($0) }), "serial": .int64(address.serial), "seal": .bytes(address.seal.bytes),
        "rates": .object(ObjectValue(address.rates.mapValues { .float64($0) })), "door": .float64(Double(address.door)),
        "isOpen": .boolean(address.isOpen), "history": .array(address.history.map(object)),
      ]
      if let level = address.level { expected["level"] = .float64(Double(level.rawValue)) }
      if let geo = address.geo { expected["geo"] = object(geo) }
      if let extra = address.extra { expected["extra"] = extra }
      if let owner = address.owner { expected["owner"] = .string(owner.description) }
      #expect(text == Value.object(expected).json)
      #expect(message(Self.address, text, check: true) == "accepted")
      #expect(try reading(text) { try Self.address.decode(&$0) } == address)
    }
  }

  @Test("A Codable type accepts what the same object declared by hand accepts, and fails with the same words", arguments: 1...3)
  func likeByHand(seed: UInt64) throws {
    let codable = Validator.codable(Item.self)
    #expect(codable.shape == Item.validator.shape)
    var random = SeededGenerator(seed: seed)
    var accepted = 0
    for _ in 0..<3_000 {
      var members: ObjectValue = ["b": .float64(1), "ab": .array([true, false])]
      if random.below(2) == 0 { members["a"] = random.below(2) == 0 ? .null : .string(random.string()) }
      if random.below(3) == 0 { members[["a", "b", "ab", "c"].randomElement(using: &random)!] = random.value(depth: 1) }
      if random.below(6) == 0 { members[["b", "ab"].randomElement(using: &random)!] = nil }
      let text = random.below(20) == 0 ? random.value().json : Value.object(members).json
      let (one, other) = (message(codable, text), message(Item.validator, text))
      #expect((one == "accepted") == (other == "accepted"), "\(text): \(one) / \(other)")
      if one == "accepted" { accepted += 1 }
    }
    #expect(accepted > 500)
    for text in ["3", #"{"b":1}"#, #"{"b":1,"ab":[1]}"#, #"{"b":1,"ab":[],"c":{}}"#, #"{"a":1,"b":1,"ab":[]}"#, #"{"ab":[],"b":1,"b":1}"#] {
      #expect(message(codable, text) == message(Item.validator, text))
    }
  }

  @Test("Small integers, and integers that no float64 holds, are refused with their bounds")
  func integers() throws {
    struct Small: Codable, Equatable { var a: UInt8; var b: Int32 }
    let validator = Validator.codable(Small.self)
    #expect(message(validator, #"{"a":255,"b":-2147483648}"#) == "accepted")
    #expect(message(validator, #"{"a":256,"b":1}"#) == "a: expected whole number from 0 to 255, found 256")
    #expect(message(validator, #"{"a":1,"b":2147483648}"#) == "b: expected whole number from -2147483648 to 2147483647, found 2147483648")
    #expect(message(validator, #"{"a":1.5,"b":1}"#) == "a: expected whole number, found 1.5")
    var writer = JSONWriter()
    Validator.codable(Pair.self).encode(Pair(first: "", second: .max), &writer)
    #expect(writer.unfitNumber == .max)
    #expect(throws: EncodingError.self) { try text(["a": UInt64.max]) }
  }

  @Test("A type that reads itself is read so as the whole value too")
  func wireValues() throws {
    let id = DocumentID(tableNumber: 10_001, high: 1, low: 2)
    #expect(Validator.codable(DocumentID.self).shape == .string)
    #expect(message(Validator.codable(DocumentID.self), "\"\(id)\"") == "accepted")
    #expect(message(Validator.codable(DocumentID.self), "\"x\"") == "expected document id, found string that is none")
    var writer = JSONWriter()
    Validator.codable(Bytes.self).encode(Bytes([1]), &writer)
    #expect(String(decoding: writer.bytes, as: UTF8.self) == #"{"$bytes":"AQ=="}"#)
    let statistics = Statistics(messages: 1, byAuthor: ["b": 2, "a": 1], newest: nil)
    writer.removeAll()
    statistics.encode(to: &writer)
    let text = String(decoding: writer.bytes, as: UTF8.self)
    #expect(text == #"{"byAuthor":{"a":1,"b":2},"messages":1}"#)
    #expect(try reading(text) { try Statistics.decode(from: &$0) } == statistics)
    #expect(throws: ValidationError(path: [.field("byAuthor"), .field("a")], expected: "number", found: "string")) {
      try reading(#"{"byAuthor":{"a":"x"},"messages":1}"#) { try Statistics.decode(from: &$0) }
    }
  }

  @Test("A type that contains itself is checked by itself where the shape ends")
  func recursive() throws {
    let validator = Validator.codable(Tree.self)
    let tree = Tree(name: "a", children: [Tree(name: "b", children: []), Tree(name: "c", children: [Tree(name: "d", children: [])])])
    var writer = JSONWriter()
    validator.encode(tree, &writer)
    let text = String(decoding: writer.bytes, as: UTF8.self)
    #expect(text == #"{"children":[{"children":[],"name":"b"},{"children":[{"children":[],"name":"d"}],"name":"c"}],"name":"a"}"#)
    #expect(try reading(text) { try validator.decode(&$0) } == tree)
    #expect(
      message(validator, #"{"name":"a","children":[{"name":"b","children":[{"name":1,"children":[]}]}]}"#)
        == "children[0].children[0].name: expected string, found number")
    #expect(message(validator, #"{"name":"a","children":[{"name":"b"}]}"#) == "children[0].children: expected Array<Tree>, found nothing")
  }

  @Test("An encoding that fails leaves null and the reason with the writer")
  func failures() {
    var writer = JSONWriter()
    Validator.codable(Failing.self).encode(Failing(), &writer)
    #expect(String(decoding: writer.bytes, as: UTF8.self) == "null")
    #expect(writer.unfitNumber == JSONWriter.unencodable)
    #expect(writer.unfitReason.contains("not today"))
    writer.removeAll()
    #expect(writer.unfitNumber == 0)
  }

  @Test("Names with escapes and containers of every form are read and written")
  func forms() throws {
    struct Escaped: Codable, Equatable {
      var quoted: Int
      enum CodingKeys: String, CodingKey { case quoted = "a\"b" }
    }
    #expect(try text(Escaped(quoted: 1)) == #"{"a\"b":1}"#)
    #expect(try reading(#"{"a\u0022b":1}"#) { try $0.decode(Escaped.self) } == Escaped(quoted: 1))
    struct Point: Codable, Equatable {
      var x: Double
      var y: Double
      init(x: Double, y: Double) { (self.x, self.y) = (x, y) }
      init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        (x, y) = (try container.decode(Double.self), try container.decode(Double.self))
      }
      func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode(x)
        try container.encode(y)
      }
    }
    #expect(Validator.codable(Point.self).shape == .array(.float64))
    #expect(try text([Point(x: 1, y: 2)]) == "[[1,2]]")
    #expect(message(Validator.codable(Point.self), "[1]") == "[1]: expected one element more, found the array's end")
    struct Flat: Codable, Equatable {
      var lat: Double
      enum Outer: CodingKey { case geo }
      enum Inner: CodingKey { case lat }
      init(lat: Double) { self.lat = lat }
      init(from decoder: any Decoder) throws {
        lat = try decoder.container(keyedBy: Outer.self).nestedContainer(keyedBy: Inner.self, forKey: .geo).decode(Double.self, forKey: .lat)
      }
      func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Outer.self)
        var inner = container.nestedContainer(keyedBy: Inner.self, forKey: .geo)
        try inner.encode(lat, forKey: .lat)
      }
    }
    #expect(Validator.codable(Flat.self).shape.description == "{geo: {lat: number}}")
    #expect(try text(Flat(lat: 1)) == #"{"geo":{"lat":1}}"#)
    #expect(try reading(#"{"geo":{"lat":1}}"#) { try $0.decode(Flat.self) } == Flat(lat: 1))
    #expect(try reading(#"{"1":2}"#) { try $0.decode([Int: Int].self) } == [1: 2])
    #expect(try text([nil, 1] as [Int?]) == "[null,1]")
    #expect(try reading("[null,1]") { try $0.decode([Int?].self) } == [nil, 1])
    #expect(try reading(#"["b","a"]"#) { try $0.decode(Set<String>.self) } == ["a", "b"])
  }

  @Test("No text makes decoding crash, and errors are of the two kinds", arguments: 1...4)
  func noise(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let sample = Array(
      #"{"street":"a","number":1,"kind":"home","geo":{"lat":1,"lon":2},"tags":["x"],"rates":{"a":1},"serial":{"$integer":"AQAAAAAAAAA="},"seal":{"$bytes":"AQ=="},"door":1,"isOpen":true,"extra":[1],"history":[]}"#
        .utf8)
    for _ in 0..<3_000 {
      var bytes = sample
      for _ in 0...random.below(3) { bytes[random.below(bytes.count)] = UInt8(ascii: #"{}[]":,01a"#.unicodeScalars.randomElement(using: &random)!) }
      do {
        try bytes.withReader { reader in
          _ = try Self.address.decode(&reader)
          try reader.finish()
        }
      } catch { #expect(error is ValidationError || error is JSONError, "\(error)") }
      do { _ = try bytes.withReader { try $0.decode(Address.self) } } catch { #expect(error is ValidationError || error is JSONError, "\(error)") }
    }
  }

  @Test("Another coder reads and writes Martlet's own types too")
  func otherCoders() throws {
    let value: Value = ["a": [1, true, nil, "x"], "b": ["c": 2.5]]
    #expect(try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value)) == value)
    let id = DocumentID(tableNumber: 10_001, high: 1, low: 2)
    #expect(try JSONDecoder().decode([DocumentID].self, from: JSONEncoder().encode([id])) == [id])
    #expect(try JSONDecoder().decode(Bytes.self, from: JSONEncoder().encode(Bytes([1, 2]))) == Bytes([1, 2]))
    #expect(throws: DecodingError.self) { try JSONDecoder().decode([DocumentID].self, from: Array("[\"x\"]".utf8).withUnsafeBytes { Data($0) }) }
  }
}

private struct Linked: Codable { var links: [URL] }

/// The compiler writes the coding of these as well, by asking which members there are.
private indirect enum Payload: Codable { case one(Int), several([Payload]) }
