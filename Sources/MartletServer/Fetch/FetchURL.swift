import Martlet

/// A URL that may be fetched: `http` or `https`, taken apart, and written again in one way.
///
/// What is checked here must be what is connected to, so nothing is left for another parser to understand in its own way: credentials, backslashes and
/// control characters are refused, a host is a name of ASCII letters or an address in its usual form, and what can't stand in a path is escaped.
struct FetchURL: Hashable, Sendable {
  enum Host: Hashable, Sendable {
    /// In lower case.
    case name(String)
    case address(IPAddress)
  }

  var isSecure: Bool
  var host: Host
  var port: Int
  /// Begins with `/`.
  var path: String
  /// With its `?`, or empty.
  var query: String

  struct Problem: Error { var reason: String }

  init(_ text: String) throws(Problem) {
    guard text.utf8.allSatisfy({ $0 >= 32 && $0 != 127 && $0 != UInt8(ascii: "\\") }) else {
      throw Problem(reason: "a URL has no control characters and no backslashes")
    }
    guard let colon = text.firstIndex(of: ":") else { throw Problem(reason: "a URL begins with http:// or https://") }
    switch text[..<colon].lowercased() {
    case "http": isSecure = false
    case "https": isSecure = true
    default: throw Problem(reason: "only http and https are fetched")
    }
    var rest = text[text.index(after: colon)...]
    guard rest.hasPrefix("//") else { throw Problem(reason: "a URL begins with http:// or https://") }
    rest = rest.dropFirst(2)
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    (host, port) = try Self.hostAndPort(authority, isSecure: isSecure)
    (path, query) = Self.pathAndQuery(rest[authority.endIndex...])
  }

  private static func hostAndPort(_ authority: Substring, isSecure: Bool) throws(Problem) -> (Host, Int) {
    guard !authority.contains("@") else {
      throw Problem(reason: "credentials in a URL are refused; send them in the header authorization")
    }
    var name = authority
    var digits: Substring?
    if authority.hasPrefix("[") {
      guard let end = authority.firstIndex(of: "]") else { throw Problem(reason: "an address of version 6 ends with ]") }
      name = authority[...end]
      let rest = authority[authority.index(after: end)...]
      guard rest.isEmpty || rest.hasPrefix(":") else { throw Problem(reason: "the host can't be read") }
      if !rest.isEmpty { digits = rest.dropFirst() }
    } else if let colon = authority.firstIndex(of: ":") {
      name = authority[..<colon]
      digits = authority[authority.index(after: colon)...]
    }
    var port = isSecure ? 443 : 80
    if let digits, !digits.isEmpty {
      guard digits.utf8.count <= 5, digits.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }), let number = Int(digits),
        (1...65_535).contains(number)
      else { throw Problem(reason: "a port is a number from 1 to 65535") }
      port = number
    }
    return (try host(name), port)
  }

  private static func host(_ text: Substring) throws(Problem) -> Host {
    if text.hasPrefix("[") {
      guard let address = IPAddress(String(text.dropFirst().dropLast())), case .v6 = address else {
        throw Problem(reason: "the host is no address of version 6")
      }
      return .address(address)
    }
    let name = text.lowercased()
    let isName = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
      default: false
      }
    }
    guard !name.isEmpty, name.utf8.count <= 253, isName, !name.hasPrefix("."), !name.contains("..") else {
      throw Problem(reason: "the host is no name of letters, digits, hyphens and dots; write an international one in its xn-- form")
    }
    guard IPAddress.looksLikeV4(name) else { return .name(name) }
    guard let address = IPAddress(name) else { throw Problem(reason: "the host ends in a number, and is no address") }
    return .address(address)
  }

  /// - Parameter text: what follows the host.
  private static func pathAndQuery(_ text: Substring) -> (String, String) {
    let whole = text.prefix { $0 != "#" }
    let path = whole.prefix { $0 != "?" }
    return (path.isEmpty ? "/" : escaped(path), escaped(whole[path.endIndex...]))
  }

  /// What can't stand in a path or a query is escaped; what is escaped stays as it is.
  private static func escaped(_ text: Substring) -> String {
    let bytes = Array(text.utf8)
    var result = ""
    for (index, byte) in bytes.enumerated() {
      let stands =
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "%"): bytes[index...].dropFirst().prefix(2).count { Character(UnicodeScalar($0)).isHexDigit && $0 < 128 } == 2
        default: "/?-._~!$&'()*+,;=:@".utf8.contains(byte)
        }
      if stands {
        result.unicodeScalars.append(UnicodeScalar(byte))
      } else {
        result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
    return result
  }
}

// MARK: - Written again

extension FetchURL: CustomStringConvertible {
  /// The host as a URL has it.
  var hostText: String {
    switch host {
    case .name(let name): name
    case .address(.v4(let address)): IPAddress.v4(address).description
    case .address(let address): "[\(address)]"
    }
  }

  var origin: String {
    (isSecure ? "https://" : "http://") + hostText + (port == (isSecure ? 443 : 80) ? "" : ":\(port)")
  }

  var description: String { origin + path + query }
}

// MARK: - References

extension FetchURL {
  /// Where a reference leads that was found here, as a `Location` is one (RFC 3986, 5.2).
  func resolving(_ reference: String) throws(Problem) -> FetchURL {
    let scheme = reference.prefix { $0 != ":" && $0 != "/" && $0 != "?" && $0 != "#" }
    if scheme.endIndex < reference.endIndex, reference[scheme.endIndex] == ":" { return try FetchURL(reference) }
    if reference.hasPrefix("//") { return try FetchURL((isSecure ? "https:" : "http:") + reference) }
    // Through the parser, so that what it refuses is refused here too.
    let parsed = try FetchURL(origin + (reference.hasPrefix("/") ? "" : "/") + reference)
    var result = self
    if reference.hasPrefix("/") {
      result.path = Self.withoutDots(parsed.path)
      result.query = parsed.query
    } else if reference.isEmpty || reference.hasPrefix("#") {
      return self
    } else if reference.hasPrefix("?") {
      result.query = parsed.query
    } else {
      let folder = String(path[...(path.lastIndex(of: "/") ?? path.startIndex)])
      result.path = Self.withoutDots(folder + String(parsed.path.dropFirst()))
      result.query = parsed.query
    }
    return result
  }

  private static func withoutDots(_ path: String) -> String {
    var kept: [Substring] = []
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    for (index, part) in parts.enumerated() {
      let isLast = index == parts.count - 1
      switch part {
      case ".": if isLast { kept.append("") }
      case "..":
        _ = kept.popLast()
        if isLast { kept.append("") }
      default: kept.append(part)
      }
    }
    return "/" + kept.joined(separator: "/")
  }
}
