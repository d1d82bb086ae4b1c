import MartletWire
import Testing

@testable import Martlet

@Suite("Documents that are stored nowhere")
struct LocalDocumentTests {
  @Test("One has the fields that it was made with, and defaults for others")
  func made() throws {
    let id = ID<Notes>.placeholder
    let note = try Document<Notes>(placeholder: id, creationTime: 5) {
      $0.text = "a"
      $0.owner = .placeholder
    }
    #expect(note.id == id && note.creationTime == 5 && note.text == "a" && note.stars == 3)
    #expect(ID<Notes>(id.description) == id && ID<Notes>.placeholder != id)
    var writer = JSONWriter()
    note.encode(to: &writer)
    let copy = try writer.bytes.withUnsafeBytes {
      var reader = JSONReader($0)
      return try Document<Notes>.decode(from: &reader)
    }
    #expect(copy.value == note.value)
  }

  @Test("A patch changes what it sets and leaves the rest; one that doesn't fit, or throws, changes nothing")
  func patched() throws {
    struct Refusal: Error {}
    var note = try Document<Notes>(placeholder: .placeholder, creationTime: 5) {
      $0.text = "a"
      $0.owner = .placeholder
    }
    let id = note.id
    try note.patch { $0.stars += 1 }
    #expect(note.stars == 4 && note.text == "a" && note.id == id && note.creationTime == 5)
    let before = note.value
    #expect(throws: Refusal.self) {
      try note.patch {
        $0.stars = 9
        throw Refusal()
      }
    }
    #expect(throws: WireError.self) { try note.patch { $0["unknown"] = 1 } }
    #expect(throws: WireError.self) { try note.patch { $0.count = .max } }
    #expect(note.value == before)
  }

  @Test("One that lacks a required field isn't made")
  func incomplete() {
    #expect(throws: WireError.self) { try Document<Notes>(placeholder: .placeholder, creationTime: 5) { $0.text = "a" } }
  }

  @Test("A table that allows other fields allows them here, too")
  func otherFields() throws {
    let note = try Document<Loose>(placeholder: .placeholder, creationTime: 5) {
      $0.text = "a"
      $0["more"] = [1, 2]
    }
    #expect(note["more"] == [1, 2])
  }
}

private struct Notes: Table {
  static let name = "notes"

  let text = Field(.string)
  let owner = Field(.id(Loose.self))
  let stars = Field(.double, default: 3)
  let count = Field(.optional(.wholeNumber))
}

private struct Loose: Table {
  static let name = "loose"
  static let allowsOtherFields = true

  let text = Field(.string)
}
