import MartletValues
import Testing

@Suite("Values as other types")
struct ValueDecodingTests {
  private struct Point: CodableWireValue, Equatable {
    var x: Double
    var label: String?
  }

  @Test("A value is read as the type that is asked for, or it is said what doesn't fit")
  func decode() throws {
    #expect(try Value.string("a").decode(as: String.self) == "a")
    #expect(try Value.array([1, 2]).decode(as: [Double].self) == [1, 2])
    #expect(try Value.null.decode(as: String?.self) == nil)
    #expect(try (["x": 1.5] as Value).decode(as: Point.self) == Point(x: 1.5, label: nil))
    #expect(throws: (any Error).self) { try Value.float64(1.5).decode(as: Int.self) }
    let error = #expect(throws: ValidationError.self) { try (["x": "1"] as Value).decode(as: Point.self) }
    #expect(error?.description.contains("x") == true)
  }
}
