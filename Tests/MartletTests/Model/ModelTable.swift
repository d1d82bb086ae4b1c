import MartletValues

@testable import Martlet

/// The table of the model-based test: fields of any kind, present or not, nested ones, and indexes over them.
struct ModelThings: Table {
  static let name = "things"

  /// What the test calls a document: its number in the order of creation attempts.
  let number = Field(.wholeNumber)
  let a = Field(.optional(.any))
  let b = Field(.optional(.any))
  let place = Field(.optional(ModelPlace.validator))
  let amount = Field(.double)

  let byNumber = Index(\ModelThings.number, unique: true)
  let byA = Index(\ModelThings.a)
  let byAB = Index(\ModelThings.a, \ModelThings.b, summing: \ModelThings.amount)
  let byCity = Index(\ModelThings.place.city, \ModelThings.amount)
  let byAmount = Index(\ModelThings.amount, summing: \ModelThings.amount)
}

struct ModelPlace: Sendable, Hashable {
  var city: Value?

  static let validator = Validator<ModelPlace>.object(Property("city", \ModelPlace.city, .optional(.any))) { ModelPlace(city: $0) }
}

/// A document as the model holds it.
struct ModelThing: Hashable, Sendable {
  var number: Int
  var a: Value?
  var b: Value?
  var place: ModelPlace?
  var amount: Double
}

/// Which index a reading goes by.
enum ThingIndex: CaseIterable, Sendable {
  case byCreationTime, byNumber, byA, byAB, byCity, byAmount

  /// The values that the index orders by, before the order of creation.
  func key(of thing: ModelThing) -> [Value?] {
    switch self {
    case .byCreationTime: []
    case .byNumber: [.float64(Double(thing.number))]
    case .byA: [thing.a]
    case .byAB: [thing.a, thing.b]
    case .byCity: [thing.place?.city, .float64(thing.amount)]
    case .byAmount: [.float64(thing.amount)]
    }
  }
}

/// One reading: a range of an index, an order, a filter, and what is asked of it.
struct Reading: Sendable {
  struct Bound: Sendable {
    var value: Value?
    var isInclusive: Bool
  }

  enum Form: Sendable {
    case collect, first, unique, count, sum, minimum, maximum
    case take(Int)
    case offset(Int, take: Int)
    case rank(number: Int)
    case pages(of: Int)
    case iterate(stopAfter: Int)
  }

  var index: ThingIndex
  var equalities: [Value?] = []
  var lower: Bound?
  var upper: Bound?
  var isDescending = false
  /// Keeps the documents whose amount is at least this.
  var leastAmount: Double?
  var form: Form
}

/// What a transaction does.
indirect enum Step: Sendable {
  case insert(ModelThing)
  /// Changes the fields that are named; a nil removes one.
  case patch(number: Int, a: Value??, b: Value??, place: ModelPlace??, amount: Double?)
  case replace(ModelThing)
  case delete(number: Int)
  case get(number: Int)
  case read(Reading)
  /// A mutation inside this one, which may throw at its end; this one catches that.
  case nested([Step], throwsAtItsEnd: Bool)
}
