import Martlet

extension FetchRules {
  /// Whether a host may be reached whatever its address is: as the URL has it, so that a name which leads to an allowed address isn't allowed by that.
  func allows(_ host: FetchURL.Host) -> Bool {
    allowedHosts.contains { pattern in
      if pattern == "*" { return true }
      switch host {
      case .address(let address): return IPAddress(Self.withoutBrackets(pattern)) == address
      case .name(let name):
        let name = Self.withoutFinalDot(name)
        let pattern = Self.withoutFinalDot(pattern.lowercased())
        return pattern.hasPrefix("*.") ? name.hasSuffix(pattern.dropFirst()) && name.utf8.count >= pattern.utf8.count : name == pattern
      }
    }
  }

  /// What is wrong with a pattern; nil for one that is in order.
  package static func problem(ofPattern pattern: String) -> String? {
    if pattern == "*" { return nil }
    let host = pattern.hasPrefix("*.") ? String(pattern.dropFirst(2)) : pattern
    let isPlain = !host.contains("*") && !host.contains("/") && !host.contains("@")
    let isAddress = IPAddress(withoutBrackets(host)) != nil
    guard isPlain, isAddress ? !pattern.hasPrefix("*.") : !host.contains(":") && (try? FetchURL("http://\(host)/")) != nil else {
      return "\"\(pattern)\" is no host: write a name (api.internal), all below one (*.internal), an address (127.0.0.1), or * for every host"
    }
    return nil
  }

  private static func withoutBrackets(_ text: String) -> String {
    text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : text
  }

  private static func withoutFinalDot(_ name: String) -> String { name.hasSuffix(".") ? String(name.dropLast()) : name }
}
