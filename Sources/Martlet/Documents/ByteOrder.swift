import Glibc

/// Negative, zero or positive as the first sorts before, with or after the second; the shorter of two with one prefix is first.
@inline(__always)
func compareBytes(_ lhs: UnsafeRawBufferPointer, _ rhs: UnsafeRawBufferPointer) -> Int {
  let common = min(lhs.count, rhs.count)
  if common > 0 {
    let order = memcmp(lhs.baseAddress!, rhs.baseAddress!, common)
    if order != 0 { return Int(order) }
  }
  return lhs.count - rhs.count
}

func compareBytes(_ lhs: ContiguousArray<UInt8>, _ rhs: ContiguousArray<UInt8>) -> Int {
  lhs.withUnsafeBytes { lhs in rhs.withUnsafeBytes { compareBytes(lhs, $0) } }
}
