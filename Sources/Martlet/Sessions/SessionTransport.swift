/// What carries a session's bytes: a socket, or a test's memory. Called on the engine's thread only.
package protocol SessionTransport: AnyObject, Sendable {
  /// Sends bytes to the client, in order. They are copied.
  func send(_ bytes: UnsafeRawBufferPointer)
  /// Whether the client takes what it is sent. While it doesn't, the session keeps values back.
  var isWritable: Bool { get }
  /// What was sent and has not left yet, while it isn't writable.
  var unsentBytes: Int { get }
  /// Whether requests should be read at all: false while too much is outstanding.
  func setReading(_ enabled: Bool)
  /// Closes the connection when all bytes that were sent have left.
  func close()
}

package struct SessionID: Hashable, Sendable {
  package let rawValue: Int
}
