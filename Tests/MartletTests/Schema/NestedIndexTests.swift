import MartletTesting
import MartletValues
import TestSupport
import Testing

@testable import Martlet

struct Place: Sendable, Equatable {
  var city: String
  var zip: String?
  var geo: Geo?

  struct Geo: Sendable, Equatable {
    var lat: Double
    static let validator = Validator<Geo>.object(Property("lat", \Geo.lat, .double)) { Geo(lat: $0) }
  }

  static let validator = Validator<Place>.object(
    Property("city", \Place.city, .string), Property("postCode", \Place.zip, .optional(.string)),
    Property("geo", \Place.geo, .optional(Geo.validator))
  ) { Place(city: $0, zip: $1, geo: $2) }
}

/// Its shape is learnt, so its members have names and no key paths.
struct Profile: Codable, Sendable, Equatable {
  var name: String
  var score: Double?
}

struct Clients: Table {
  static let name = "clients"
  let place = Field(Place.validator)
  let billing = Field(.optional(Place.validator))
  let profile = Field(.optional(.codable(Profile.self)))
  let extra = Field(.optional(.any))
  let rates = Field(.optional(.record(.double)))
  let amount = Field(.double)

  let byCity = Index("by_city", \Clients.place.city, \Clients.place.zip, summing: \Clients.amount)
  let byBilling = Index("by_billing", \Clients.billing.city, \Clients.amount)
  let byLatitude = Index("by_latitude", \Clients.billing.geo.lat)
  let byName = Index<Clients>("by_name", fields: ["profile.name", "amount"], summing: "profile.score")
  let byExtra = Index<Clients>("by_extra", path: "extra.a.b")
  let byRate = Index<Clients>("by_rate", path: "rates.basic")
}

enum ClientFunctions: FunctionModule {
  static let path = "clients"
  static let functions: [any ServerFunction] = [insert, patch, remove, inCity, inRange, billed, latitudes, named, extras, rated, since, misused, profiles]

  static let insert = Mutation(
    "insert", Arg("place", Place.validator), Arg("billing", .optional(Place.validator)), Arg("profile", .optional(.codable(Profile.self))),
    Arg("extra", .optional(.any)), Arg("rates", .optional(.record(.double))), Arg("amount", .double)
  ) { ctx, place, billing, profile, extra, rates, amount in
    try ctx.db.insert(Clients.self) {
      $0.place = place
      $0.billing = billing
      $0.profile = profile
      $0.extra = extra
      $0.rates = rates
      $0.amount = amount
    }
  }

  static let patch = Mutation(
    "patch", Arg("id", .id(Clients.self)), Arg("city", .string), Arg("billing", .optional(Place.validator)), Arg("score", .optional(.double))
  ) { ctx, id, city, billing, score in
    try ctx.db.patch(id) {
      $0.place.city = city
      $0.billing = billing
      if let profile = $0.profile { $0.profile = Profile(name: profile.name, score: score) }
    }
  }

  static let remove = Mutation("remove", Arg("id", .id(Clients.self))) { ctx, id in try ctx.db.delete(id) }

  private static func ids(_ query: TableQuery<Clients>) throws -> [String] { try query.collect().map(\.id.description) }

  static let inCity = Query("inCity", Arg("city", .string), Arg("zip", .optional(.string)), Arg("withoutZip", .optional(.boolean))) {
    ctx, city, zip, withoutZip in
    try ids(
      try ctx.db.query(Clients.self).withIndex(\.byCity) { range in
        let range = range.eq(\.place.city, city)
        return zip != nil || withoutZip == true ? range.eq(\.place.zip, zip) : range
      })
  }

  static let inRange = Query("inRange", Arg("from", .string), Arg("until", .string)) { ctx, from, until in
    let query = try ctx.db.query(Clients.self).withIndex(\.byCity) { $0.gte(\.place.city, from).lt(\.place.city, until) }
    return try ids(query) + ["\(try query.count())", "\(try query.sum(\.amount))"]
  }

  static let billed = Query("billed", Arg("city", .optional(.string))) { ctx, city in
    try ids(try ctx.db.query(Clients.self).withIndex(\.byBilling) { $0.eq(\.billing.city, city) })
  }

  static let latitudes = Query("latitudes", Arg("from", .double)) { ctx, from in
    try ctx.db.query(Clients.self).withIndex(\.byLatitude) { $0.gte(\.billing.geo.lat, from) }.collect().map { $0.billing?.geo?.lat }
  }

  static let named = Query("named", Arg("name", .string)) { ctx, name in
    let query = try ctx.db.query(Clients.self).withIndex(\.byName) { $0.eq("profile.name", .string(name)).gte("amount", 0) }
    return try ids(query)
  }

  static let extras = Query("extras", Arg("b", .optional(.any))) { ctx, b in
    try ids(try ctx.db.query(Clients.self).withIndex(\.byExtra) { $0.eq("extra.a.b", b) })
  }

  static let rated = Query("rated", Arg("from", .double)) { ctx, from in
    try ids(try ctx.db.query(Clients.self).withIndex(\.byRate) { $0.gt("rates.basic", .float64(from)) })
  }

  static let since = Query("since", Arg("city", .string), Arg("zip", .optional(.string)), Arg("how", .string), Arg("time", .double)) { ctx, city, zip, how, time in
    try ids(
      try ctx.db.query(Clients.self).withIndex(\.byCity) { range in
        let range = range.eq(\.place.city, city).eq(\.place.zip, zip)
        return switch how {
        case "eq": range.eq("_creationTime", .float64(time))
        case "gt": range.gt("_creationTime", .float64(time))
        case "gte": range.gte("_creationTime", .float64(time))
        case "lt": range.lt("_creationTime", .float64(time))
        default: range.lte("_creationTime", .float64(time))
        }
      })
  }

  static let profiles = Query("profiles") { ctx in try ctx.db.query(Clients.self).collect().map { $0.profile?.name } }

  static let misused = Query("misused", Arg("how", .wholeNumber)) { ctx, how in
    try ids(
      try ctx.db.query(Clients.self).withIndex(\.byCity) { range in
        switch how {
        case 0: range.eq(\.place.zip, "1")
        case 1: range.eq("city", "Oslo")
        case 2: range.eq(\.place.city, "a").gte("_creationTime", 1)
        case 3: range.eq(\.place.city, "a").eq(\.place.zip, nil).gte("_creationTime", "x")
        case 4: range.eq(\.profile.name, "x")
        default: range.eq(\.place.city, "a").eq(\.place.zip, nil).eq("_creationTime", 1).lt("_creationTime", 2)
        }
      })
  }
}

private struct Boxes: Table {
  static let name = "boxes"
  struct Size: Sendable {
    var area: Double
    var name: String
    static let validator = Validator<Size>.object(Property("area", \Size.area, .double), Property("name", \Size.name, .string)) { Size(area: $0, name: $1) }
  }
  let label = Field(.string)
  let size = Field(Size.validator)
  let bySize = Index("by_size", \Boxes.label, summing: \Boxes.size.area)
  let byName = Index("by_name", \Boxes.size.name)
}

private enum BoxFunctions: FunctionModule {
  static let path = "boxes"
  static let functions: [any ServerFunction] = [insert, sums]

  static let insert = Mutation("insert", Arg("label", .string), Arg("size", Boxes.Size.validator)) { ctx, label, size in
    try ctx.db.insert(Boxes.self) {
      $0.label = label
      $0.size = size
    }
  }

  /// By the index, by another one, and by one that has no sum.
  static let sums = Query("sums", Arg("label", .string)) { ctx, label in
    let boxes = try ctx.db.query(Boxes.self)
    return [
      try boxes.withIndex(\.bySize) { $0.eq(\.label, label) }.sum(\.size.area),
      try boxes.filter { $0.label == label }.sum(\.size.area),
      try boxes.withIndex(\.byName) { $0.eq(\.size.name, label) }.sum(\.size.area),
    ]
  }
}

@Suite("Members of objects in indexes")
struct NestedIndexTests {
  private struct Client {
    var id: String
    var city: String
    var zip: String?
    var billing: String?
    var latitude: Double?
    var name: String?
    var b: String?
    var rate: Double?
    var amount: Double
    var birth: Int
  }

  /// As `by_city` has them: by city, then by code, those without one first, then by birth.
  private static func cityPrecedes(_ left: Client, _ right: Client) -> Bool {
    if left.city != right.city { return left.city.utf8.lexicographicallyPrecedes(right.city.utf8) }
    if left.zip != right.zip { return (left.zip ?? "").utf8.lexicographicallyPrecedes((right.zip ?? "").utf8) }
    return left.birth < right.birth
  }

  private func start() throws -> (EngineHarness, InProcessClient) {
    let server = try EngineHarness(tables: [Clients.self], modules: [ClientFunctions.self])
    return (server, server.connect())
  }

  private func list(_ clients: [Client]) -> String { "[" + clients.map(\.id).joined(separator: ",") + "]" }

  @Test("Ranges, counts and sums by members of objects give what a sorted array gives, and do so after a restart", arguments: 1...4)
  func model(seed: UInt64) throws {
    let (server, client) = try start()
    var random = TestRandom(seed: seed)
    var model: [Client] = []
    let cities = ["", "Oslo", "Os", "Rome", "Ålesund"]
    for birth in 0..<150 {
      if random.oneIn(6), !model.isEmpty {
        _ = client.ask(server, #"mutation clients:remove {"id":\#(model.remove(at: random.number(0..<model.count)).id)}"#)
        continue
      }
      if random.oneIn(4), !model.isEmpty {
        let index = random.number(0..<model.count)
        model[index].city = random.element(of: cities)
        model[index].billing = random.oneIn(2) ? nil : random.element(of: cities)
        model[index].latitude = nil
        let billing = model[index].billing.map { #","billing":{"city":"\#($0)"}"# } ?? ""
        #expect(client.ask(server, #"mutation clients:patch {"id":\#(model[index].id),"city":"\#(model[index].city)"\#(billing)}"#) == "null")
        continue
      }
      var new = Client(id: "", city: random.element(of: cities), amount: Double(random.number(0..<30)) / 2, birth: birth)
      if random.oneIn(2) { new.zip = random.element(of: ["0", "01", "1"]) }
      if random.oneIn(2) { new.billing = random.element(of: cities) }
      if new.billing != nil, random.oneIn(2) { new.latitude = Double(random.number(-90..<90)) }
      if random.oneIn(2) { new.name = random.element(of: ["ada", "bob"]) }
      if random.oneIn(2) { new.rate = Double(random.number(0..<5)) }
      var call = #"mutation clients:insert {"place":{"city":"\#(new.city)""#
      if let zip = new.zip { call += #","postCode":"\#(zip)""# }
      call += #"},"amount":\#(new.amount)"#
      if let billing = new.billing {
        call += #","billing":{"city":"\#(billing)"\#(new.latitude.map { #","geo":{"lat":\#($0)}"# } ?? "")}"#
      }
      if let name = new.name { call += #","profile":{"name":"\#(name)"}"# }
      if let rate = new.rate { call += #","rates":{"basic":\#(rate),"other":1}"# }
      // Things that are no objects on the way, or that merely look alike.
      let (extra, b) = random.element(of: [
        (nil, nil), ("3", nil), (#"{"a":[1]}"#, nil), (#"{"a":{"b":"x"}}"#, "x"), (#"{"a":{"a":{"b":"x"}},"b":"x"}"#, nil),
        (#"{"a":{"b":"y","c":{}}}"#, "y"), (#"{"a":{"$integer":"AQAAAAAAAAA="}}"#, nil), (#"{"z":{"b":"x"},"a":{"bb":1,"b":"x"}}"#, "x"),
      ] as [(String?, String?)])
      if let extra { call += #","extra":\#(extra)"# }
      new.b = b
      new.id = client.ask(server, call + "}")
      #expect(new.id.hasPrefix("\""))
      model.append(new)
    }
    func verify(_ server: EngineHarness) {
      let client = server.connect()
      let byCity = model.sorted(by: Self.cityPrecedes)
      for city in cities {
        #expect(client.ask(server, #"query clients:inCity {"city":"\#(city)"}"#) == list(byCity.filter { $0.city == city }))
        #expect(
          client.ask(server, #"query clients:inCity {"city":"\#(city)","withoutZip":true}"#)
            == list(byCity.filter { $0.city == city && $0.zip == nil }))
        #expect(client.ask(server, #"query clients:inCity {"city":"\#(city)","zip":"01"}"#) == list(byCity.filter { $0.city == city && $0.zip == "01" }))
        let billed = model.filter { $0.billing == city }.sorted { ($0.amount, $0.birth) < ($1.amount, $1.birth) }
        #expect(client.ask(server, #"query clients:billed {"city":"\#(city)"}"#) == list(billed))
      }
      let unbilled = model.filter { $0.billing == nil }.sorted { ($0.amount, $0.birth) < ($1.amount, $1.birth) }
      #expect(client.ask(server, "query clients:billed") == list(unbilled))
      let found = byCity.filter { $0.city >= "Os" && $0.city < "Rome" }
      let aggregates = "\"\(found.count)\",\"\(found.reduce(0) { $0 + $1.amount })\"]"
      #expect(
        client.ask(server, #"query clients:inRange {"from":"Os","until":"Rome"}"#)
          == (found.isEmpty ? "[" : list(found).dropLast() + ",") + aggregates)
      let latitudes = model.compactMap(\.latitude).filter { $0 >= 0 }.sorted().map { Value.float64($0) }
      #expect(client.ask(server, #"query clients:latitudes {"from":0}"#) == Value.array(latitudes).json)
      for name in ["ada", "bob"] {
        let named = model.filter { $0.name == name }.sorted { ($0.amount, $0.birth) < ($1.amount, $1.birth) }
        #expect(client.ask(server, #"query clients:named {"name":"\#(name)"}"#) == list(named))
      }
      for b in ["x", "y"] { #expect(client.ask(server, #"query clients:extras {"b":"\#(b)"}"#) == list(model.filter { $0.b == b })) }
      #expect(client.ask(server, "query clients:extras") == list(model.filter { $0.b == nil }))
      let rated = model.filter { $0.rate.map { $0 > 1 } ?? false }.sorted { ($0.rate!, $0.birth) < ($1.rate!, $1.birth) }
      #expect(client.ask(server, #"query clients:rated {"from":1}"#) == list(rated))
      let page = client.ask(server, #"query _system:documents {"table":"clients","index":"by_city","range":{"eq":["Oslo","01"]},"limit":1000}"#)
      #expect(page.matches(of: /"_id"/).count == model.count { $0.city == "Oslo" && $0.zip == "01" })
    }
    verify(server)
    try server.restart()
    verify(server)
  }

  @Test("A live query by a member runs again when that member changes, and not when its neighbour does")
  func live() throws {
    let (server, client) = try start()
    let id = client.ask(server, #"mutation clients:insert {"place":{"city":"Oslo"},"amount":1,"profile":{"name":"ada"}}"#)
    client.send(#"subscribe s clients:billed {"city":"Rome"}"#)
    server.settle()
    let runs = server.statistic("queryRuns")
    _ = client.ask(server, #"mutation clients:patch {"id":\#(id),"city":"Os"}"#)
    #expect(server.statistic("queryRuns") == runs)
    client.send(#"mutation m clients:patch {"id":\#(id),"city":"Os","billing":{"city":"Rome"}}"#)
    server.settle()
    #expect(client.take().contains { $0.id == "s" && $0.rest.contains(id) })
  }

  @Test("A sum of an object's member is exact in its index, and follows the member")
  func sums() throws {
    let (server, client) = try start()
    let id = client.ask(server, #"mutation clients:insert {"place":{"city":"a"},"amount":1,"profile":{"name":"ada","score":2.5}}"#)
    _ = client.ask(server, #"mutation clients:insert {"place":{"city":"a"},"amount":1,"profile":{"name":"ada","score":4}}"#)
    _ = client.ask(server, #"mutation clients:insert {"place":{"city":"a"},"amount":1}"#)
    func sum() -> Double {
      server.inspect { engine in
        let table = engine.catalog.table(named: "clients")!
        return table.assumeIsolated { $0.snapshot.sum(in: .declared(3), from: nil, to: nil) }
      }
    }
    #expect(sum() == 6.5)
    _ = client.ask(server, #"mutation clients:patch {"id":\#(id),"city":"a","score":10}"#)
    #expect(sum() == 14)
  }

  @Test("A member is summed by its key path, with an index and without")
  func typedSums() throws {
    let server = try EngineHarness(tables: [Boxes.self], modules: [BoxFunctions.self])
    let client = server.connect()
    for (label, area) in [("a", 1.5), ("b", 10), ("a", 2)] {
      _ = client.ask(server, #"mutation boxes:insert {"label":"\#(label)","size":{"area":\#(area),"name":"\#(label)"}}"#)
    }
    #expect(client.ask(server, #"query boxes:sums {"label":"a"}"#) == "[3.5,3.5,3.5]")
    #expect(client.ask(server, #"query boxes:sums {"label":"c"}"#) == "[0,0,0]")
  }

  @Test("After all its fields a range may bound the creation time")
  func creationTimes() throws {
    let (server, client) = try start()
    var clients: [(id: String, time: Double)] = []
    for _ in 0..<5 {
      let id = client.ask(server, #"mutation clients:insert {"place":{"city":"a"},"amount":1}"#)
      _ = client.ask(server, #"mutation clients:insert {"place":{"city":"a","postCode":"x"},"amount":1}"#)
      server.advance(milliseconds: 3)
      let page = client.ask(server, #"query _system:documents {"table":"clients","index":"by_creation_time","order":"desc","limit":2}"#)
      let times = page.matches(of: /"_creationTime":([0-9.]+)/).map { Double($0.1)! }
      clients.append((id, times.last!))
    }
    let time = clients[2].time
    func since(_ how: String) -> String { client.ask(server, #"query clients:since {"city":"a","how":"\#(how)","time":\#(time)}"#) }
    func expected(_ holds: (Double) -> Bool) -> String { "[" + clients.filter { holds($0.time) }.map(\.id).joined(separator: ",") + "]" }
    #expect(since("eq") == expected { $0 == time })
    #expect(since("gt") == expected { $0 > time })
    #expect(since("gte") == expected { $0 >= time })
    #expect(since("lt") == expected { $0 < time })
    #expect(since("lte") == expected { $0 <= time })
    func page(_ range: String) -> Int {
      client.ask(server, #"query _system:documents {"table":"clients","index":"by_latitude","range":\#(range)}"#).matches(of: /"_id"/).count
    }
    #expect(page(#"{"eq":["x"]}"#) == 0)
    #expect(
      client.ask(server, #"query _system:documents {"table":"clients","index":"by_city","range":{"eq":["a","x",\#(time)],"lt":3}}"#)
        .contains("args.range.index by_city is on (place.city, place.postCode, _creationTime), the range names 4 fields"))
    let one = client.ask(server, #"query _system:documents {"table":"clients","index":"by_city","range":{"eq":["a","x"],"gte":0,"lte":\#(time)}}"#)
    #expect(one.matches(of: /"_id"/).count == 2)
    #expect(
      client.ask(server, #"query _system:documents {"table":"clients","index":"by_city","range":{"eq":["a","x"],"gte":"x"}}"#)
        .contains("_creationTime: expected number"))
  }

  @Test("A range that the index can't answer says which field was due; a member that isn't declared, what is")
  func misuse() throws {
    let (server, client) = try start()
    func problem(_ how: Int) -> String { client.ask(server, #"query clients:misused {"how":\#(how)}"#) }
    let due = "the index is on (place.city, place.postCode)"
    #expect(problem(0).contains("withIndex(clients.by_city): eq(\"place.postCode\"): field \"place.city\" is due, \(due)"))
    #expect(problem(1).contains("eq(\"city\"): field \"place.city\" is due"))
    #expect(problem(2).contains("gte(\"_creationTime\"): field \"place.postCode\" is due"))
    #expect(problem(3).contains("gte(\"_creationTime\"): expected number, found string"))
    #expect(problem(4).contains("profile is {name: string, score?: number}, whose members have no key paths: name the field"))
    #expect(problem(5).contains("the range has an upper bound already"))
  }

  @Test("_system:tables shows an index's members by their paths")
  func described() throws {
    let (server, client) = try start()
    #expect(
      client.ask(server, "query _system:tables").contains(#"{"fields":["profile.name","amount"],"name":"by_name","sum":"profile.score"}"#))
  }
}
