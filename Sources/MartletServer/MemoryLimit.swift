import Foundation

/// How much memory a server may use. Beyond it writes that make the data grow are refused as `limit_exceeded`; deletes, reads and subscriptions go on.
public enum MemoryLimit: Sendable, Equatable {
  case bytes(Int)
  /// Of what the machine has, or the control group (a container, a systemd unit) that the server runs in: between 0 and 1.
  case share(Double)
  case unlimited

  /// As it is written on a command line: `512MB`, `8GB`, `75%`, `none`. Units are powers of 1,024. Nil for anything else.
  public init?(_ text: String) {
    let text = text.lowercased().filter { $0 != " " }
    if text == "none" {
      self = .unlimited
      return
    }
    let digits = text.prefix { $0.isNumber || $0 == "." }
    guard let number = Double(digits), number > 0, number.isFinite else { return nil }
    switch text.dropFirst(digits.count) {
    case "%":
      guard number <= 100 else { return nil }
      self = .share(number / 100)
      return
    case "", "b": self = .bytes(Int(clamping: number))
    case "k", "kb", "kib": self = .bytes(Int(clamping: number * 1_024))
    case "m", "mb", "mib": self = .bytes(Int(clamping: number * 1_048_576))
    case "g", "gb", "gib": self = .bytes(Int(clamping: number * 1_073_741_824))
    case "t", "tb", "tib": self = .bytes(Int(clamping: number * 1_099_511_627_776))
    default: return nil
    }
    if case .bytes(let bytes) = self, bytes < Self.least { return nil }
  }

  /// A server without data takes 40 MiB.
  static let least = 64 << 20

  /// In bytes; nil for no limit, and where the system doesn't say what there is.
  func bytes(of memory: Int? = MachineMemory.bytes()) -> Int? {
    switch self {
    case .bytes(let bytes): bytes
    case .share(let share): memory.map { max(Self.least, Int(Double($0) * share)) }
    case .unlimited: nil
    }
  }
}

extension Int {
  fileprivate init(clamping number: Double) { self = number < 9e18 ? Int(number) : .max }
}

/// What memory there is for this process: the machine's, or less where a control group has a limit.
enum MachineMemory {
  static func bytes() -> Int? {
    let machine = Int(ProcessInfo.processInfo.physicalMemory)
    let groups = (try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)) ?? ""
    let limit = groupLimit(groups) { try? String(contentsOfFile: "/sys/fs/cgroup" + $0, encoding: .utf8) }
    guard machine > 0 else { return limit }
    return min(machine, limit ?? machine)
  }

  /// The least limit of the groups that the process is in, from its own up to the root.
  /// - Parameters:
  ///   - groups: `/proc/self/cgroup`.
  ///   - read: gives a file below `/sys/fs/cgroup`.
  static func groupLimit(_ groups: String, read: (String) -> String?) -> Int? {
    var least: Int?
    for line in groups.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      // Version 2 has one hierarchy, without a name; version 1 has one for memory.
      let (root, file): (String, String)
      if parts[1].isEmpty {
        (root, file) = ("", "memory.max")
      } else if parts[1].split(separator: ",").contains("memory") {
        (root, file) = ("/memory", "memory.limit_in_bytes")
      } else {
        continue
      }
      var names = parts[2].split(separator: "/")
      while true {
        let path = root + names.map { "/" + $0 }.joined() + "/" + file
        // "max", or where no limit is set a number beyond any machine's.
        if let limit = read(path).flatMap({ Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }), limit < 1 << 60 {
          least = min(least ?? limit, limit)
        }
        if names.popLast() == nil { break }
      }
    }
    return least
  }
}
