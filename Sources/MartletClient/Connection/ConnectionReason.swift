import NIOCore
import NIOPosix

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Why there is no connection, for a person: "Connection refused" and not the list of attempts that the network library makes of it.
enum ConnectionReason {
  static func text(_ error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError:
      if error.connectionErrors.isEmpty { return "there is no host \(error.host)" }
      // A name has several addresses, which mostly fail alike.
      var reasons: [String] = []
      for reason in error.connectionErrors.map({ text($0.error) }) where !reasons.contains(reason) { reasons.append(reason) }
      return reasons.joined(separator: "; ")
    case let error as IOError: return String(cString: strerror(error.errnoCode))
    default: return "\(error)"
    }
  }
}
