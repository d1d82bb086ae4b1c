/// Checks what reads of a bank showed while money moved: the total is always the same, and nobody has less than nothing.
package enum BankChecker {
  /// - Parameter reads: all balances, as each read showed them.
  package static func check(total: Double, reads: [[Double]]) -> [Anomaly] {
    reads.enumerated().flatMap { number, balances -> [Anomaly] in
      var anomalies: [Anomaly] = []
      let sum = balances.reduce(0, +)
      if sum != total {
        anomalies.append(Anomaly(.wrongTotal, [number], "read \(number) shows \(sum) in all, instead of \(total): \(balances)"))
      }
      if let least = balances.min(), least < 0 {
        anomalies.append(Anomaly(.negativeBalance, [number], "read \(number) shows a balance of \(least): \(balances)"))
      }
      return anomalies
    }
  }
}
