import Foundation
import Testing

@testable import martlet_bench

@Suite("Draws")
struct DistributionTests {
  @Test("Zipf draws have the frequencies of the formula", arguments: [0.8, 1.5, 3])
  func zipf(exponent: Double) {
    let count = 50
    var generator = SeededGenerator(seed: 7)
    let table = AliasTable(count: count, distribution: .zipf(exponent: exponent), shuffledBy: &generator)
    let draws = 400_000
    var seen = [Int](repeating: 0, count: count)
    for _ in 0..<draws { seen[table.draw(using: &generator)] += 1 }
    let weights = (1...count).map { pow(Double($0), -exponent) }
    let sum = weights.reduce(0, +)
    for (frequency, weight) in zip(seen.sorted(by: >), weights) {
      let expected = Double(draws) * weight / sum
      #expect(abs(Double(frequency) - expected) <= 6 * expected.squareRoot() + 6)
    }
  }

  @Test("A plan has no transfer from an account to itself, and takes back on its second pass what its first one did")
  func plan() {
    var plan = TransferPlan(accounts: 3, distribution: .zipf(exponent: 1.5), seed: 1, count: 1_000)
    var net = [0, 0, 0]
    for _ in 0..<2_000 {
      let (from, to) = plan.next()
      #expect(from != to)
      net[from] -= 1
      net[to] += 1
    }
    #expect(net == [0, 0, 0])
  }

  @Test("The hottest account gives as often as it receives")
  func balance() {
    var plan = TransferPlan(accounts: 1_000, distribution: .zipf(exponent: 1.5), seed: 5, count: 100_000)
    var given = [Int](repeating: 0, count: 1_000)
    var received = given
    for _ in 0..<100_000 {
      let (from, to) = plan.next()
      given[from] += 1
      received[to] += 1
    }
    let hottest = given.indices.max { given[$0] < given[$1] }!
    let (out, back) = (Double(given[hottest]), Double(received[hottest]))
    #expect(out > 20_000)
    #expect(abs(out - back) < 6 * (out + back).squareRoot())
  }

  @Test("The median of an even number of values is the mean of the two in the middle")
  func medians() {
    #expect(median([4, 1, 3, 2]) == 2.5)
    #expect(median([9, 1, 2]) == 2)
    #expect(median([]) == 0)
  }
}
