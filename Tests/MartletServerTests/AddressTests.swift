import Testing

@testable import MartletServer

@Suite("Addresses")
struct AddressTests {
  @Test(
    "Every spelling of a version 4 address is that address",
    arguments: [
      ("127.0.0.1", "127.0.0.1"), ("127.1", "127.0.0.1"), ("127.0.1", "127.0.0.1"), ("2130706433", "127.0.0.1"), ("0x7f000001", "127.0.0.1"),
      ("0x7f.0.0.0x1", "127.0.0.1"), ("0X7F.1", "127.0.0.1"), ("0177.0.0.01", "127.0.0.1"), ("017700000001", "127.0.0.1"), ("127.0.0.1.", "127.0.0.1"),
      ("0", "0.0.0.0"), ("0x", "0.0.0.0"), ("169.254.43518", "169.254.169.254"), ("0xa9fea9fe", "169.254.169.254"), ("255.255.255.255", "255.255.255.255"),
      ("10.0x0.0.1", "10.0.0.1"), ("4294967295", "255.255.255.255"),
    ])
  func spellings(_ text: String, _ address: String) { #expect(IPAddress(text)?.description == address) }

  @Test(
    "What is no address is none",
    arguments: [
      "", ".", "1.2.3.4.5", "256.1.1.1", "1.256.1", "4294967296", "1.2.3.0x100", "08.1.1.1", "+1.1.1.1", "-1", "1..2", "0x+1", "0xg", "a.b", "1.2.3.4..",
      "::g", ":::", "1::2::3", "fe80::1%eth0", "[::1]", "::ffff:256.1.1.1", "12345::",
    ])
  func noAddress(_ text: String) { #expect(IPAddress(text) == nil) }

  @Test(
    "Private, local and reserved addresses are told apart from public ones",
    arguments: [
      ("0.0.0.0", "unspecified"), ("0.255.1.2", "unspecified"), ("10.0.0.0", "private"), ("10.255.255.255", "private"), ("100.64.0.1", "private"),
      ("100.127.255.255", "private"), ("127.0.0.1", "loopback"), ("127.255.255.255", "loopback"), ("169.254.169.254", "link-local"),
      ("172.16.0.0", "private"), ("172.31.255.255", "private"), ("192.0.0.1", "reserved"), ("192.168.0.1", "private"), ("198.18.0.1", "reserved"),
      ("198.19.255.255", "reserved"), ("224.0.0.1", "multicast"), ("239.255.255.255", "multicast"), ("240.0.0.1", "reserved"), ("255.255.255.255", "reserved"),
      ("::", "unspecified"), ("::1", "loopback"), ("::ffff:127.0.0.1", "loopback"), ("::ffff:7f00:1", "loopback"), ("::ffff:10.1.2.3", "private"),
      ("::127.0.0.1", "loopback"), ("::ffff:169.254.169.254", "link-local"), ("64:ff9b::10.0.0.1", "private"), ("64:ff9b:1::1", "reserved"),
      ("2002:7f00:1::", "loopback"), ("2002:c0a8:101::1", "private"), ("2001::1", "reserved"), ("2001:1ff::1", "reserved"), ("2001:db8::1", "reserved"),
      ("fc00::1", "private"), ("fdff:ffff::1", "private"), ("fe80::1", "link-local"), ("febf::1", "link-local"), ("fec0::1", "private"), ("ff02::1", "multicast"),
      ("100::1", "reserved"), ("4000::1", "reserved"), ("3fff::1", "reserved"), ("5f00::1", "reserved"),
      ("1.1.1.1", nil), ("9.255.255.255", nil), ("11.0.0.0", nil), ("100.63.255.255", nil), ("100.128.0.0", nil), ("126.255.255.255", nil), ("128.0.0.0", nil),
      ("169.253.255.255", nil), ("169.255.0.0", nil), ("172.15.255.255", nil), ("172.32.0.0", nil), ("192.167.255.255", nil), ("192.169.0.0", nil),
      ("198.17.255.255", nil), ("198.20.0.0", nil), ("223.255.255.255", nil), ("2606:4700::1111", nil), ("2001:200::1", nil), ("2a00:1450::1", nil),
      ("::ffff:1.1.1.1", nil), ("64:ff9b::1.1.1.1", nil), ("2002:101:101::", nil),
    ] as [(String, String?)])
  func kinds(_ text: String, _ kind: String?) throws { #expect(try #require(IPAddress(text)).privateKind == kind) }

  @Test("An address is written so that it reads back the same")
  func roundTrip() throws {
    for text in ["0.0.0.0", "1.2.3.4", "255.255.255.255", "::", "::1", "2001:db8::8a2e:370:7334", "::ffff:1.2.3.4", "ff02::fb"] {
      let address = try #require(IPAddress(text))
      #expect(IPAddress(address.description) == address)
    }
  }
}
