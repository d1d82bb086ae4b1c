import MartletTesting
import MartletValues
import Testing

@testable import Martlet

@Suite("Filter expressions")
struct FilterTests {
  static func document(_ json: String) throws -> DocumentStorage {
    var json = try Value(json: json).json
    return try json.withUTF8 {
      try DocumentStorage.fromCanonical(
        id: DocumentID(tableNumber: 10_001, high: 1, low: 1), creationTime: 5, json: UnsafeRawBufferPointer($0))
    }
  }

  static func read(_ json: String) throws -> FilterExpression {
    var json = json
    return try json.withUTF8 {
      var reader = JSONReader(UnsafeRawBufferPointer($0))
      let expression = try FilterExpression.decode(from: &reader)
      try reader.finish()
      return expression
    }
  }

  static func text(_ expression: FilterExpression) -> String {
    var writer = JSONWriter()
    expression.encode(to: &writer)
    return writer.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
  }

  static let thing = #"{"_id":"x","address":{"city":"Rome","zip":null},"big":{"$integer":"/////////38="},"likes":3,"name":"a","open":true,"tags":["x"],"two":{"$integer":"AgAAAAAAAAA="}}"#

  @Test(
    "Expressions hold as Convex's do: one order over all types, a missing field before all, no truthiness",
    arguments: [
      (#"{"$eq":[{"$field":"likes"},3]}"#, true),
      (#"{"$eq":[{"$field":"address.city"},"Rome"]}"#, true),
      (#"{"$eq":[{"$field":"address.city"},{"$literal":"Rome"}]}"#, true),
      (#"{"$neq":[{"$field":"address.zip"},null]}"#, false),
      (#"{"$eq":[{"$field":"address.street"},{"$literal":{"$undefined":null}}]}"#, true),
      (#"{"$eq":[{"$field":"name.first"},{"$literal":{"$undefined":null}}]}"#, true),
      (#"{"$lt":[{"$field":"address.street"},null]}"#, true),
      (#"{"$eq":[{"$field":"two"},2]}"#, false),
      (#"{"$lt":[{"$field":"two"},-1000]}"#, true),
      (#"{"$gt":[{"$field":"open"},9e99]}"#, true),
      (#"{"$gt":["",{"$field":"open"}]}"#, true),
      (#"{"$eq":[{"$field":"tags"},["x"]]}"#, true),
      (#"{"$eq":[{"$field":"address"},{"city":"Rome","zip":null}]}"#, true),
      (#"{"$lte":[{"$field":"likes"},3]}"#, true),
      (#"{"$gte":[{"$field":"likes"},3.5]}"#, false),
      (#"{"$eq":[{"$float":"AAAAAAAAAIA="},0]}"#, false),
      (#"{"$field":"open"}"#, true),
      ("true", true),
      ("false", false),
      (#"{"$not":{"$field":"open"}}"#, false),
      (#"{"$and":[]}"#, true),
      (#"{"$or":[]}"#, false),
      (#"{"$and":[true,{"$or":[false,{"$eq":[1,1]}]}]}"#, true),
      // What isn't looked at can't fail.
      (#"{"$and":[false,{"$field":"likes"}]}"#, false),
      (#"{"$or":[true,{"$field":"likes"}]}"#, true),
      (#"{"$eq":[{"$add":[{"$field":"likes"},1]},4]}"#, true),
      (#"{"$eq":[{"$sub":[{"$field":"likes"},1]},2]}"#, true),
      (#"{"$eq":[{"$mul":[{"$field":"likes"},-2]},{"$neg":6}]}"#, true),
      (#"{"$eq":[{"$div":[{"$field":"likes"},2]},1.5]}"#, true),
      (#"{"$eq":[{"$mod":[-7,{"$field":"likes"}]},-1]}"#, true),
      (#"{"$gt":[{"$div":[1,0]},1e300]}"#, true),
      (#"{"$eq":[{"$add":[{"$field":"two"},{"$integer":"AQAAAAAAAAA="}]},{"$integer":"AwAAAAAAAAA="}]}"#, true),
      (#"{"$eq":[{"$div":[{"$integer":"BwAAAAAAAAA="},{"$field":"two"}]},{"$integer":"AwAAAAAAAAA="}]}"#, true),
      (#"{"$eq":[{"$mod":[{"$integer":"BwAAAAAAAAA="},{"$field":"two"}]},{"$integer":"AQAAAAAAAAA="}]}"#, true),
      (#"{"$eq":[{"$eq":[1,1]},true]}"#, true),
    ])
  func holds(json: String, expected: Bool) throws {
    let expression = try Self.read(json)
    #expect(try expression.holds(for: Self.document(Self.thing)) == expected)
    // What it writes is what it is.
    let again = Self.text(expression)
    #expect(try Self.read(again).holds(for: Self.document(Self.thing)) == expected)
    #expect(try Self.text(Self.read(again)) == again)
  }

  @Test(
    "An expression without a value says which operator wanted what",
    arguments: [
      (#"{"$field":"likes"}"#, #"the filter expected boolean, found number in field "likes""#),
      (#"{"$and":[{"$field":"nothing"}]}"#, #"$and expected boolean, found nothing in field "nothing""#),
      (#"{"$or":[1]}"#, "$or expected boolean, found number"),
      (#"{"$not":"x"}"#, "$not expected boolean, found string"),
      (#"{"$eq":[{"$add":[{"$field":"likes"},{"$field":"two"}]},1]}"#, "$add expected two numbers or two int64, found number and int64"),
      (#"{"$eq":[{"$mul":["a",1]},1]}"#, "$mul expected two numbers or two int64, found string and number"),
      (#"{"$eq":[{"$add":[{"$field":"big"},{"$field":"two"}]},1]}"#, "$add: int64 overflow"),
      (#"{"$eq":[{"$div":[{"$field":"two"},{"$integer":"AAAAAAAAAAA="}]},1]}"#, "$div: an int64 can't be divided by zero"),
      (#"{"$eq":[{"$mod":[{"$field":"two"},{"$integer":"AAAAAAAAAAA="}]},1]}"#, "$mod: an int64 can't be divided by zero"),
      (#"{"$eq":[{"$neg":{"$integer":"AAAAAAAAAIA="}},1]}"#, "$neg: int64 overflow"),
      (#"{"$eq":[{"$div":[{"$integer":"AAAAAAAAAIA="},{"$integer":"//////////8="}]},1]}"#, "$div: int64 overflow"),
      (#"{"$eq":[{"$neg":{"$field":"name"}},1]}"#, #"$neg expected number or int64, found string in field "name""#),
    ])
  func errors(json: String, message: String) throws {
    let error = #expect(throws: FilterError.self) { try Self.read(json).holds(for: Self.document(Self.thing)) }
    #expect(error?.description == message)
  }

  @Test(
    "What is no expression is an error with the place where it is wrong",
    arguments: [
      (#"{"$and":[true,{"$eq":[1,2,3]}]}"#, "$and[1].$eq: expected array of 2 expressions, found array of 3"),
      (#"{"$eq":1}"#, "$eq: expected array, found number"),
      (#"{"$field":1}"#, "$field: expected string, found number"),
      (#"{"$eq":[1,1],"$lt":[1,2]}"#, "expected one operator in an object, found a second member"),
      (#"{"$not":{"$like":["a","b"]}}"#, "$not.$like: expected an operator"),
      (#"{"$literal":{"$eq":[1,1]}}"#, "$literal: expected a value, found an expression"),
      (#"{"$undefined":1}"#, "$undefined: expected null, found number"),
    ])
  func malformed(json: String, message: String) {
    let error = #expect(throws: ValidationError.self) { try Self.read(json) }
    #expect(error?.description.hasPrefix(message) == true, "\(String(describing: error))")
  }

  @Test("An expression in Swift is the JSON that it looks like")
  func swift() {
    let expression: FilterExpression = .field("likes") * 2 > 3 && !(.field("a.b") == nil) || .field("c") != .missing && -(.field("d")) <= 1.5
    #expect(
      Self.text(expression)
        == #"{"$or":[{"$and":[{"$gt":[{"$mul":[{"$field":"likes"},{"$literal":2}]},{"$literal":3}]},{"$not":{"$eq":[{"$field":"a.b"},{"$literal":null}]}}]},{"$and":[{"$neq":[{"$field":"c"},{"$literal":{"$undefined":null}}]},{"$lte":[{"$neg":{"$field":"d"}},{"$literal":1.5}]}]}]}"#)
    #expect(Self.text(.value(Int64(2))) == #"{"$literal":{"$integer":"AgAAAAAAAAA="}}"#)
  }

  @Test("A chain of conditions is one list, however long, and may be sent")
  func chains() throws {
    let any = (0..<1_000).reduce(FilterExpression.literal(false)) { $0 || .field("likes") == .literal(.float64(Double($1))) }
    let all = (0..<1_000).reduce(FilterExpression.literal(true)) { $0 && .field("likes") != .literal(.float64(Double($1 + 10))) }
    #expect(try Self.read(Self.text(any)).holds(for: Self.document(Self.thing)))
    #expect(try Self.read(Self.text(all && any && !(.field("open") == false))).holds(for: Self.document(Self.thing)))
    #expect(Self.text(.field("a") && .field("b") || .field("c") && .field("d") || .field("e"))
      == #"{"$or":[{"$and":[{"$field":"a"},{"$field":"b"}]},{"$and":[{"$field":"c"},{"$field":"d"}]},{"$field":"e"}]}"#)
  }

  @Test("A path leads through objects, and never to a field whose own name has dots; nor does an index's")
  func dots() throws {
    let document = try Self.document(#"{"_id":"x","a":{"b":1},"a.b":3,"c.d":4}"#)
    #expect(try Self.read(#"{"$eq":[{"$field":"a.b"},1]}"#).holds(for: document))
    #expect(try Self.read(#"{"$eq":[{"$field":"c.d"},{"$literal":{"$undefined":null}}]}"#).holds(for: document))
    let index = IndexLayout(TableDefinition.Index(name: "i", fields: ["a.b", "c.d"]))
    var keys = IndexKeyWriter()
    var expected = IndexKeyWriter()
    expected.append(double: 1)
    expected.appendMissing()
    #expect(index.key(of: document, with: &keys).with(tie: 0) == expected.key(tie: 0))
  }

  @Test("Functions filter by expressions of their own, and by what a caller sends, also live")
  func functions() throws {
    let server = try EngineHarness.posts()
    let client = server.connect()
    let operations = (0..<6).map {
      #"{"channel":"\#($0 % 2 == 0 ? "a" : "b")","score":\#($0),"likes":\#($0),"detail":{"a":{"b":\#($0 == 4 ? "null" : "1")}}}"#
    }
    _ = client.ask(server, #"mutation posts:write {"operations":[\#(operations.joined(separator: ","))]}"#)
    #expect(client.ask(server, #"query posts:filtered {"channel":"a","likes":4}"#) == "[2]")
    #expect(client.ask(server, #"query posts:matching {"where":{"$gt":[{"$field":"score"},3]}}"#) == "[4,5]")
    #expect(
      client.ask(server, #"query posts:matching {"where":{"$add":[1,"x"]}}"#)
        == "function_failed: filter of table posts: $add expected two numbers or two int64, found number and string")
    #expect(client.ask(server, #"query posts:matching {"where":{"$gt":3}}"#) == "invalid_arguments: args.where.$gt: expected array, found number")
    client.send(
      #"subscribe s posts:matching { "where" : {"$gt":[{"$field":"score"},3]}}"#, #"subscribe t posts:matching {"where":{"$gt":[{"$field":"score"},3.0]}}"#)
    server.settle()
    #expect(client.take().filter { $0.kind == .update }.map(\.rest) == ["[4,5]", "[4,5]"])
    #expect(server.statistic("liveQueries") == 1, "what is spelled differently and means the same is one query")
    _ = client.ask(server, #"mutation posts:write {"operations":[{"channel":"a","score":9}]}"#)
    #expect(client.ask(server, #"query posts:matching {"where":true}"#) == "[0,1,2,3,4,5,9]")
  }
}
