/// SplitMix64: the same choices for the same seed, so that a test which fails runs again from it.
package struct TestRandom: RandomNumberGenerator {
  private var state: UInt64

  package init(seed: UInt64) { state = seed &* 0x9E37_79B9 &+ 1 }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  package mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &self) }
  package mutating func element<T>(of elements: [T]) -> T { elements[number(0..<elements.count)] }
  /// Whether something happens that happens once in `count` times.
  package mutating func oneIn(_ count: Int) -> Bool { number(0..<count) == 0 }
}
