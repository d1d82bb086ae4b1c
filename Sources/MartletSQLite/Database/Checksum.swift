import MartletValues

/// XXH64: the checksum of every row that the storage writes.
///
/// What it has to find are bits that a disk, a cable or another program changed, not an attacker. XXH64 reads eight bytes a multiplication
/// in four independent lanes, so a row costs less to check than to copy, where a table-driven CRC32C costs a few times as much and
/// finds fewer long errors (2⁻³² slip through instead of 2⁻⁶⁴). What a row says about itself besides its bytes (its id, its timestamps) goes into
/// the seed, so that a row whose contents were exchanged for another valid row's is found too.
///
/// Values are part of the format on disk: `ChecksumTests` holds the algorithm's published vectors.
enum Checksum {
  private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  static func of(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
    var position = 0
    var hash: UInt64
    if bytes.count >= 32 {
      var lanes = (seed &+ prime1 &+ prime2, seed &+ prime2, seed, seed &- prime1)
      while position + 32 <= bytes.count {
        lanes.0 = round(lanes.0, word(bytes, position))
        lanes.1 = round(lanes.1, word(bytes, position + 8))
        lanes.2 = round(lanes.2, word(bytes, position + 16))
        lanes.3 = round(lanes.3, word(bytes, position + 24))
        position += 32
      }
      hash = rotate(lanes.0, 1) &+ rotate(lanes.1, 7) &+ rotate(lanes.2, 12) &+ rotate(lanes.3, 18)
      hash = merge(hash, lanes.0)
      hash = merge(hash, lanes.1)
      hash = merge(hash, lanes.2)
      hash = merge(hash, lanes.3)
    } else {
      hash = seed &+ prime5
    }
    hash &+= UInt64(bytes.count)
    while position + 8 <= bytes.count {
      hash = rotate(hash ^ round(0, word(bytes, position)), 27) &* prime1 &+ prime4
      position += 8
    }
    if position + 4 <= bytes.count {
      let half = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self))
      hash = rotate(hash ^ (UInt64(half) &* prime1), 23) &* prime2 &+ prime3
      position += 4
    }
    while position < bytes.count {
      hash = rotate(hash ^ (UInt64(bytes[position]) &* prime5), 11) &* prime1
      position += 1
    }
    return avalanche(hash)
  }

  /// Of a document: its contents, and what it is called and when it was made.
  static func of(document id: DocumentID, creationTime: Double, json: UnsafeRawBufferPointer) -> UInt64 {
    var seed = mix(UInt64(id.tableNumber), id.high)
    seed = mix(seed, id.low)
    return of(json, seed: mix(seed, creationTime.bitPattern))
  }

  /// Of a few numbers, in order.
  static func of(_ numbers: UInt64...) -> UInt64 {
    numbers.reduce(prime5, mix)
  }

  @inline(__always)
  private static func mix(_ hash: UInt64, _ number: UInt64) -> UInt64 {
    avalanche(merge(hash, number))
  }

  @inline(__always)
  private static func avalanche(_ value: UInt64) -> UInt64 {
    var hash = value
    hash ^= hash >> 33
    hash &*= prime2
    hash ^= hash >> 29
    hash &*= prime3
    return hash ^ (hash >> 32)
  }

  @inline(__always)
  private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    rotate(lane &+ word &* prime2, 31) &* prime1
  }

  @inline(__always)
  private static func merge(_ hash: UInt64, _ lane: UInt64) -> UInt64 {
    (hash ^ round(0, lane)) &* prime1 &+ prime4
  }

  @inline(__always)
  private static func rotate(_ value: UInt64, _ count: UInt64) -> UInt64 {
    (value << count) | (value >> (64 - count))
  }

  @inline(__always)
  private static func word(_ bytes: UnsafeRawBufferPointer, _ position: Int) -> UInt64 {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
  }
}
