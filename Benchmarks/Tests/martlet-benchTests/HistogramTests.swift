import Testing

@testable import martlet_bench

@Suite("Histogram")
struct HistogramTests {
  @Test("A quantile is within 0.8 % of the exact one", arguments: [UInt64(1), 2, 3])
  func quantilesMatchSorting(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var histogram = Histogram()
    var values: [UInt64] = []
    for _ in 0..<20_000 {
      let value = UInt64.random(in: 0..<(1 << UInt64.random(in: 1...40, using: &generator)), using: &generator)
      values.append(value)
      histogram.record(value)
    }
    values.sort()
    for quantile in [0.0001, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1] {
      let exact = values[max(0, Int((quantile * Double(values.count)).rounded(.up)) - 1)]
      let found = histogram.nanoseconds(atQuantile: quantile)
      #expect(found >= exact)
      #expect(Double(found) <= Double(exact) * 1.008)
    }
  }

  @Test("A value beyond the last bucket is counted in it")
  func hugeValues() {
    var histogram = Histogram()
    histogram.record(.max)
    #expect(histogram.count == 1)
    #expect(histogram.nanoseconds(atQuantile: 1) >= 1 << 46)
  }
}
