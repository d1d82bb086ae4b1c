import Glibc

/// Which accounts a workload picks.
enum Distribution: CustomStringConvertible, Hashable {
  case uniform
  /// The account of rank r is picked with probability ∝ 1 / r^exponent. With 1.5 over 100,000 accounts the first one is in 38 % of the
  /// draws and the first ten in 76 %: what contention does to a server shows here.
  case zipf(exponent: Double)

  var description: String {
    switch self {
    case .uniform: "uniform"
    case .zipf(let exponent): "Zipf \(exponent)"
    }
  }
}

/// Draws indices 0 ..< count in constant time from any distribution (Walker's alias method, tables after Vose).
///
/// A draw picks a column evenly, then either the column itself or its alias. Building costs O(count). Ranks are shuffled, so
/// that the hot indices are not neighbours in a tree or on a page.
struct AliasTable {
  private var threshold: [Double]
  private var alias: [Int32]
  private let indexOfRank: [Int32]

  init(count: Int, distribution: Distribution, shuffledBy generator: inout SeededGenerator) {
    precondition(count > 0 && count < Int(Int32.max))
    var ranks = Array(0..<Int32(count))
    ranks.shuffle(using: &generator)
    indexOfRank = ranks

    let weights: [Double] = switch distribution {
    case .uniform: Array(repeating: 1, count: count)
    case .zipf(let exponent): (1...count).map { pow(Double($0), -exponent) }
    }
    let scale = Double(count) / weights.reduce(0, +)
    threshold = weights.map { $0 * scale }
    alias = Array(0..<Int32(count))
    var small: [Int] = []
    var large: [Int] = []
    for column in 0..<count {
      if threshold[column] < 1 { small.append(column) } else { large.append(column) }
    }
    while let low = small.popLast() {
      guard let high = large.last else {
        threshold[low] = 1  // Only rounding leaves a small column without a large one.
        continue
      }
      alias[low] = Int32(high)
      threshold[high] -= 1 - threshold[low]
      if threshold[high] < 1 {
        large.removeLast()
        small.append(high)
      }
    }
  }

  func draw(using generator: inout SeededGenerator) -> Int {
    let bits = generator.next()
    let column = Int((UInt64(threshold.count) &* (bits >> 32)) >> 32)
    let fraction = Double(UInt32(truncatingIfNeeded: bits)) * 0x1p-32
    return Int(indexOfRank[fraction < threshold[column] ? column : Int(alias[column])])
  }
}
