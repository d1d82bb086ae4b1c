import Synchronization

@testable import Martlet

/// SplitMix64: the same numbers for the same seed.
struct TreeGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// Counts the live objects of one test.
final class Census: Sendable {
  private let living = Atomic<Int>(0)

  var population: Int { living.load(ordering: .sequentiallyConsistent) }

  fileprivate func add(_ difference: Int) { living.add(difference, ordering: .sequentiallyConsistent) }
}

/// An object that is counted from its birth to its death.
final class Citizen: Sendable {
  let number: Int
  private let census: Census

  init(_ number: Int, in census: Census) {
    self.number = number
    self.census = census
    census.add(1)
  }

  deinit { census.add(-1) }
}

/// A key that holds an object, as a long index key does.
struct CountedKey: Comparable, Sendable, CustomStringConvertible {
  let value: Int
  let citizen: Citizen?

  /// Each third key has one.
  init(_ value: Int, in census: Census) {
    self.value = value
    citizen = value % 3 == 0 ? Citizen(value, in: census) : nil
  }

  static func == (left: CountedKey, right: CountedKey) -> Bool { left.value == right.value }
  static func < (left: CountedKey, right: CountedKey) -> Bool { left.value < right.value }

  var description: String { "\(value)" }
}

/// A payload that holds an object and is added up. The summands are whole numbers, so that the sums of the model are
/// exact in any order.
struct CountedPayload: SummedPayload {
  let citizen: Citizen

  var amount: Double { Double(citizen.number) }
}

/// A payload of which the tree keeps no sums.
struct PlainPayload: TreePayload, Equatable {
  let number: Int
}
