/// The creation times of a table's documents, gathered in any order, from which `by_creation_time` is built.
///
/// Ids are random and times are not, so the documents' order is no help. Sorted by digits of eight bits: times of one year have five bytes that differ, and so a million of
/// them take five passes, some 12 ms; comparing them takes some 75.
struct CreationTimes {
  private struct Entry {
    var time: UInt64
    var idHigh: UInt64
  }

  private var entries: ContiguousArray<Entry> = []

  mutating func reserveCapacity(_ count: Int) { entries.reserveCapacity(count) }

  mutating func append(_ creationTime: Double, _ id: InternalID) {
    entries.append(Entry(time: IndexKey.orderedBits(creationTime), idHigh: id.high))
  }

  func makeTree() -> OrderedTree<UInt64, CreationEntry> {
    OrderedTree(sorted: sorted().lazy.map { ($0.time, CreationEntry(idHigh: $0.idHigh)) })
  }

  private func sorted() -> ContiguousArray<Entry> {
    if entries.count < 256 { return ContiguousArray(entries.sorted { $0.time < $1.time }) }
    var from = entries
    var to = entries
    let all = entries.reduce(UInt64.max) { $0 & $1.time }
    let any = entries.reduce(UInt64(0)) { $0 | $1.time }
    for shift in stride(from: UInt64(0), to: 64, by: 8) where (all ^ any) >> shift & 0xFF != 0 {
      var starts = ContiguousArray<Int>(repeating: 0, count: 257)
      starts.withUnsafeMutableBufferPointer { starts in
        from.withUnsafeBufferPointer { from in
          for entry in from { starts[Int(entry.time >> shift & 0xFF) + 1] &+= 1 }
          for digit in 1...256 { starts[digit] &+= starts[digit - 1] }
          to.withUnsafeMutableBufferPointer { to in
            for entry in from {
              let digit = Int(entry.time >> shift & 0xFF)
              to[starts[digit]] = entry
              starts[digit] &+= 1
            }
          }
        }
      }
      swap(&from, &to)
    }
    return from
  }
}
