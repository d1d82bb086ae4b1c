import Foundation
import Testing

@testable import MartletCommands

@Suite("Times as text")
struct ISOTimeTests {
  @Test(
    "Known moments",
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
      (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
      (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
    ] as [(Double, String)])
  func known(milliseconds: Double, text: String) {
    #expect(ISOTime.text(milliseconds: milliseconds) == text)
  }

  @Test("Dates agree with Foundation's calendar from 1900 to 2200")
  func agreesWithFoundation() {
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    for seconds in stride(from: -2_208_988_800, to: 7_258_118_400, by: 6_121_007) {
      let date = Date(timeIntervalSince1970: Double(seconds))
      #expect(ISOTime.text(milliseconds: Double(seconds) * 1000) == date.formatted(style))
    }
  }

  @Test("What is no time has no text", arguments: [.nan, .infinity, -.infinity, 1e300, 253_402_300_800_000] as [Double])
  func notATime(milliseconds: Double) {
    #expect(ISOTime.text(milliseconds: milliseconds) == nil)
  }
}
