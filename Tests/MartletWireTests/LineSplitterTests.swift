import MartletWire
import TestSupport
import Testing

@Suite("Lines in a stream")
struct LineSplitterTests {
  @Test("The lines don't depend on how the stream is cut", arguments: UInt64(0)..<200)
  func randomCuts(seed: UInt64) {
    var random = TestRandom(seed: seed)
    let limit = Int.random(in: 1...12, using: &random)
    // Short lines with every now and then one around the limit, and many LF in a row.
    let stream = (0..<Int.random(in: 0...200, using: &random)).map { _ -> UInt8 in
      Int.random(in: 0..<6, using: &random) == 0 ? 0x0A : UInt8.random(in: 0x61...0x64, using: &random)
    }
    let expected = naiveSplit(stream, limit: limit)

    var splitter = LineSplitter(maxLineBytes: limit)
    var lines: [[UInt8]] = []
    var outcome = LineSplitter.Outcome.more
    var start = 0
    while start < stream.count {
      let end = min(stream.count, start + Int.random(in: 0...9, using: &random))
      outcome = stream[start..<end].withUnsafeBytes { splitter.feed($0) { lines.append(Array($0)) } }
      start = end
    }
    #expect(lines == expected.lines)
    #expect((outcome == .lineTooLong) == expected.isTooLong)
    #expect(splitter.pendingBytes == expected.pendingBytes)
  }

  @Test("A line of exactly the limit passes, one byte more ends the stream")
  func limit() {
    var splitter = LineSplitter(maxLineBytes: 4)
    #expect(feed("abcd\n", &splitter) == (["abcd"], .more))
    #expect(feed("abcd", &splitter) == ([], .more))
    #expect(feed("\nok\nabcde", &splitter) == (["abcd", "ok"], .lineTooLong))
    #expect(feed("\nping\n", &splitter) == ([], .lineTooLong))
    #expect(splitter.pendingBytes == 0)
  }

  @Test("A line that is complete in its chunk is handed over where it lies")
  func inPlace() {
    var splitter = LineSplitter(maxLineBytes: 100)
    let chunk = Array("first\nsecond\nthi".utf8)
    chunk.withUnsafeBytes { chunk in
      var offsets: [Int] = []
      _ = splitter.feed(chunk) { offsets.append($0.baseAddress! - chunk.baseAddress!) }
      #expect(offsets == [0, 6])
    }
    #expect(splitter.pendingBytes == 3)
  }

  private func feed(_ text: String, _ splitter: inout LineSplitter) -> ([String], LineSplitter.Outcome) {
    var lines: [String] = []
    let outcome = Array(text.utf8).withUnsafeBytes { bytes in
      splitter.feed(bytes) { lines.append(String(decoding: $0, as: UTF8.self)) }
    }
    return (lines, outcome)
  }

  /// The oracle: looks at the whole stream at once.
  private func naiveSplit(_ stream: [UInt8], limit: Int) -> (lines: [[UInt8]], isTooLong: Bool, pendingBytes: Int) {
    var pieces = stream.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
    let tail = pieces.removeLast()
    if let long = pieces.firstIndex(where: { $0.count > limit }) { return (Array(pieces[..<long]), true, 0) }
    return tail.count > limit ? (pieces, true, 0) : (pieces, false, tail.count)
  }
}
