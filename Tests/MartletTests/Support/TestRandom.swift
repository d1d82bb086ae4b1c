import Martlet

/// SplitMix64: the same choices for the same seed.
struct TestRandom: RandomNumberGenerator {
  private var generator: DeterministicRandom

  init(seed: UInt64) { generator = DeterministicRandom(seed: seed &* 0x9E37_79B9 &+ 1) }

  mutating func next() -> UInt64 { generator.next() }

  mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &self) }
  mutating func element<T>(of elements: [T]) -> T { elements[number(0..<elements.count)] }
  /// Whether something happens that happens once in `count` times.
  mutating func oneIn(_ count: Int) -> Bool { number(0..<count) == 0 }
}
