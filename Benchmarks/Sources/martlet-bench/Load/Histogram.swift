/// Latencies in nanoseconds, counted in buckets whose width grows with the value.
///
/// Keeping every latency would cost 8 bytes a request, and sorting them at the end of a run would take longer than the run.
/// Here each power of two is cut into 128 buckets, so that a quantile is off by less than 0.8 %; recording costs one increment, and
/// the whole takes 43 KB. Values from 2^47 ns (39 hours) on fall in the last bucket.
struct Histogram {
  private static let subdivisionBits = 7
  private static let subdivisions = 1 << subdivisionBits
  private static let powers = 41

  private var counts = [UInt64](repeating: 0, count: subdivisions * powers)
  private(set) var count: UInt64 = 0

  @inline(__always)
  mutating func record(_ nanoseconds: UInt64) {
    counts[Self.bucket(of: nanoseconds)] &+= 1
    count &+= 1
  }

  mutating func removeAll() {
    for index in counts.indices { counts[index] = 0 }
    count = 0
  }

  /// The value that a share `quantile` (0…1) of the recorded ones don't exceed; 0 when nothing was recorded.
  func nanoseconds(atQuantile quantile: Double) -> UInt64 {
    guard count > 0 else { return 0 }
    let rank = min(count, max(1, UInt64((quantile * Double(count)).rounded(.up))))
    var seen: UInt64 = 0
    for (index, bucketCount) in counts.enumerated() {
      seen += bucketCount
      if seen >= rank { return Self.upperBound(ofBucket: index) }
    }
    return Self.upperBound(ofBucket: counts.count - 1)
  }

  @inline(__always)
  private static func bucket(of value: UInt64) -> Int {
    if value < UInt64(subdivisions) { return Int(value) }
    let power = 63 - value.leadingZeroBitCount - subdivisionBits
    let offset = Int(truncatingIfNeeded: value >> UInt64(power)) - subdivisions
    return min((power + 1) * subdivisions + offset, subdivisions * powers - 1)
  }

  private static func upperBound(ofBucket index: Int) -> UInt64 {
    if index < subdivisions { return UInt64(index) }
    let power = UInt64(index / subdivisions - 1)
    let lower = UInt64(subdivisions + index % subdivisions) << power
    return lower + (1 << power) - 1
  }
}
