import Martlet
import Testing

@Suite("Forms that actions send")
struct FormTests {
  @Test("A form's fields stand in their order, escaped as browsers do, and the content type says what they are")
  func form() {
    var request = Request("https://example.com", method: .post)
    request.setForm(["a": "1 + 1 = 2", "metadata[id]": "ü/ä&", "a": "*-._~", "empty": ""])
    #expect(
      String(decoding: request.body, as: UTF8.self)
        == "a=1+%2B+1+%3D+2&metadata%5Bid%5D=%C3%BC%2F%C3%A4%26&a=*-._%7E&empty=")
    #expect(request.headers["content-type"] == "application/x-www-form-urlencoded")
    request.headers["content-type"] = "text/x"
    request.setForm([:])
    #expect(request.body.isEmpty && request.headers["content-type"] == "text/x")
  }
}
