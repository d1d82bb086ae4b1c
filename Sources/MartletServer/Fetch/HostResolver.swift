import Dispatch
import Foundation
import Synchronization

/// Finds a name's addresses, by the system's resolver, in its order.
///
/// That blocks a thread for as long as it takes, so it runs on threads which the system makes for it, and who asks can go away before. As many are asked
/// at a time as actions fetch.
struct HostResolver: Sendable {
  struct Failure: Error { var reason: String }

  private static let queue = DispatchQueue(label: "martlet.fetch.resolver", attributes: .concurrent)

  func addresses(of name: String) async throws -> [IPAddress] {
    let answer = Answer()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        guard answer.expect(continuation) else { return continuation.resume(throwing: CancellationError()) }
        Self.queue.async { answer.give(Result { try Self.resolve(name) }) }
      }
    } onCancel: {
      answer.give(.failure(CancellationError()))
    }
  }

  /// Whoever comes first, the resolver or the cancellation, gives it.
  private final class Answer: Sendable {
    private enum State {
      case new, given
      case expected(CheckedContinuation<[IPAddress], any Error>)
    }

    private let state = Mutex(State.new)

    /// False where it was cancelled before.
    func expect(_ continuation: CheckedContinuation<[IPAddress], any Error>) -> Bool {
      state.withLock { state in
        if case .given = state { return false }
        state = .expected(continuation)
        return true
      }
    }

    func give(_ result: Result<[IPAddress], any Error>) {
      let continuation: CheckedContinuation<[IPAddress], any Error>? = state.withLock { state in
        defer { state = .given }
        if case .expected(let continuation) = state { return continuation }
        return nil
      }
      continuation?.resume(with: result)
    }
  }

  private static func resolve(_ name: String) throws -> [IPAddress] {
    var hints = addrinfo()
    #if canImport(Darwin)
      hints.ai_socktype = SOCK_STREAM
    #else
      hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    #endif
    var list: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(name, nil, &hints, &list)
    guard status == 0 else { throw Failure(reason: "the host \(name) isn't found (\(String(cString: gai_strerror(status))))") }
    defer { freeaddrinfo(list) }
    var addresses: [IPAddress] = []
    var next = list
    while let entry = next?.pointee {
      if let address = IPAddress(entry), !addresses.contains(address) { addresses.append(address) }
      next = entry.ai_next
    }
    guard !addresses.isEmpty else { throw Failure(reason: "the host \(name) has no address") }
    return addresses
  }
}

extension IPAddress {
  fileprivate init?(_ entry: addrinfo) {
    guard let address = entry.ai_addr else { return nil }
    switch entry.ai_family {
    case AF_INET:
      self = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { .v4(UInt32(bigEndian: $0.pointee.sin_addr.s_addr)) }
    case AF_INET6:
      self = address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { pointer in
        withUnsafeBytes(of: pointer.pointee.sin6_addr) { IPAddress(v6: $0) }
      }
    default: return nil
    }
  }
}
