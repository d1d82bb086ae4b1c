import Foundation

/// An address of the internet protocol, of either version.
enum IPAddress: Hashable, Sendable {
  case v4(UInt32)
  case v6(high: UInt64, low: UInt64)
}

// MARK: - As text

extension IPAddress {
  /// An address in a URL: `2001:db8::1`, or any spelling of a version 4 address that some resolver takes.
  init?(_ text: String) {
    if text.contains(":") { self.init(v6: text) } else { self.init(v4: text) }
  }

  /// `127.0.0.1`, and what means the same to C's `inet_aton` and to browsers: `127.1`, `2130706433`, `0x7f.0.0.1`, `0177.0.0.01`, `127.0.0.1.`
  private init?(v4 text: String) {
    var parts = text.split(separator: ".", omittingEmptySubsequences: false)
    if parts.count > 1, parts.last?.isEmpty == true { parts.removeLast() }
    guard (1...4).contains(parts.count) else { return nil }
    var address: UInt64 = 0
    for (index, part) in parts.enumerated() {
      guard let number = Self.number(part) else { return nil }
      let isLast = index == parts.count - 1
      // The last one fills what is left.
      let bits = isLast ? 8 * (4 - index) : 8
      guard number < 1 << UInt64(bits) else { return nil }
      address = address << UInt64(bits) | number
    }
    self = .v4(UInt32(address))
  }

  /// Decimal, octal after a 0, hexadecimal after 0x (which alone is 0).
  private static func number(_ text: Substring) -> UInt64? {
    let lower = text.lowercased()
    guard !lower.isEmpty, lower.utf8.count <= 16 else { return nil }
    if lower.hasPrefix("0x") { return lower.count == 2 ? 0 : digits(lower.dropFirst(2), radix: 16) }
    return lower.hasPrefix("0") ? digits(lower[...], radix: 8) : digits(lower[...], radix: 10)
  }

  /// `UInt64(_:radix:)` takes a sign as well.
  private static func digits(_ text: Substring, radix: Int) -> UInt64? {
    text.utf8.first == UInt8(ascii: "+") ? nil : UInt64(text, radix: radix)
  }

  /// Whether a host of this name is an address or nothing: its last part is a number.
  static func looksLikeV4(_ host: String) -> Bool {
    var parts = host.split(separator: ".", omittingEmptySubsequences: false)
    if parts.count > 1, parts.last?.isEmpty == true { parts.removeLast() }
    guard let last = parts.last, !last.isEmpty else { return false }
    return last.utf8.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") } || last.lowercased().hasPrefix("0x") && number(last) != nil
  }

  private init?(v6 text: String) {
    var address = in6_addr()
    // A zone (`fe80::1%eth0`) is nothing that a URL may name here.
    guard !text.contains("%"), inet_pton(AF_INET6, text, &address) == 1 else { return nil }
    self = withUnsafeBytes(of: address) { IPAddress(v6: $0) }
  }

  /// Sixteen bytes, the highest first.
  init(v6 bytes: UnsafeRawBufferPointer) {
    self = .v6(
      high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
      low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
  }
}

extension IPAddress: CustomStringConvertible {
  /// As URLs have it, without brackets; eight groups for version 6.
  var description: String {
    switch self {
    case .v4(let address): stride(from: 24, through: 0, by: -8).map { "\(address >> UInt32($0) & 0xFF)" }.joined(separator: ".")
    case .v6(let high, let low):
      [high, low].flatMap { half in stride(from: 48, through: 0, by: -16).map { String(half >> UInt64($0) & 0xFFFF, radix: 16) } }
        .joined(separator: ":")
    }
  }
}

// MARK: - What it is for

extension IPAddress {
  /// Why an address is not one of the public internet, in a word; nil for one that is.
  var privateKind: String? {
    switch self {
    case .v4(let address): Self.blocks.first { address >> (32 - $0.bits) == $0.network >> (32 - $0.bits) }?.kind
    case .v6(let high, let low): Self.privateKind(high, low)
    }
  }

  /// By IANA's registry of special addresses.
  private static let blocks: [(network: UInt32, bits: UInt32, kind: String)] = [
    (0x0000_0000, 8, "unspecified"),
    (0x0A00_0000, 8, "private"),
    (0x6440_0000, 10, "private"),  // 100.64/10, of providers; some clouds' metadata
    (0x7F00_0000, 8, "loopback"),
    (0xA9FE_0000, 16, "link-local"),  // with 169.254.169.254, most clouds' metadata
    (0xAC10_0000, 12, "private"),
    (0xC000_0000, 24, "reserved"),
    (0xC000_0200, 24, "reserved"),
    (0xC0A8_0000, 16, "private"),
    (0xC612_0000, 15, "reserved"),
    (0xC633_6400, 24, "reserved"),
    (0xCB00_7100, 24, "reserved"),
    (0xE000_0000, 4, "multicast"),
    (0xF000_0000, 4, "reserved"),
  ]

  private static func privateKind(_ high: UInt64, _ low: UInt64) -> String? {
    let first = UInt16(high >> 48)
    if high == 0 {
      if low == 0 { return "unspecified" }
      if low == 1 { return "loopback" }
      // ::ffff:a.b.c.d and the old ::a.b.c.d are version 4 addresses.
      if low >> 32 == 0xFFFF || low >> 32 == 0 { return IPAddress.v4(UInt32(truncatingIfNeeded: low)).privateKind }
    }
    switch first {
    case 0xFC00...0xFDFF: return "private"
    case 0xFE80...0xFEBF: return "link-local"
    case 0xFEC0...0xFEFF: return "private"
    case 0xFF00...0xFFFF: return "multicast"
    // 6to4, and translation to version 4: the address inside is the one that is reached.
    case 0x2002: return IPAddress.v4(UInt32(truncatingIfNeeded: high >> 16)).privateKind
    case 0x0064 where high == 0x0064_FF9B_0000_0000 && low >> 32 == 0: return IPAddress.v4(UInt32(truncatingIfNeeded: low)).privateKind
    default: break
    }
    // All that is given out for the public lies in 2000::/3, but Teredo and the like (2001::/23), and the addresses of documentation.
    if first & 0xE000 != 0x2000 || high >> 41 == 0x2001_0000 >> 9 || high >> 32 == 0x2001_0DB8 || high >> 44 == 0x3FFF0 { return "reserved" }
    return nil
  }
}
