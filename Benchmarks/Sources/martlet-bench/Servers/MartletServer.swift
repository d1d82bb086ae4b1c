import FoundationEssentials
import Glibc

/// Martlet with its example app `bank`, every commit on disk before it is answered.
final class MartletServer: Contender {
  let process: ServerProcess
  let connection: BlockingConnection
  private var lastRequest = 0

  static func howToBuild(_ path: String) -> String {
    "There is no \(path). Build it by dev/build, or name one with --martlet"
  }

  init(executable: String, dataParent: String, cores: Cores?) throws {
    let directory = try Places.makeDataDirectory(in: dataParent, for: "martlet")
    let port = try TCP.freePort()
    process = try ServerProcess(
      name: "martlet",
      executable: executable,
      arguments: ["serve", "--example", "bank", "--data", directory + "/data", "--port", "\(port)", "--durability", "full"],
      port: port, directory: directory, cores: cores)
    connection = try BlockingConnection(port: port)
  }

  /// Runs one function and decodes its value; throws when the answer is an error.
  func call<Value: Decodable>(_ verb: String, _ function: String, _ arguments: String = "{}", as type: Value.Type) throws -> Value {
    try decode(type, from: raw([(verb, function, arguments)])[0])
  }

  /// Sends requests together and returns their values as JSON, in the order of the requests.
  func raw(_ requests: [(verb: String, function: String, arguments: String)]) throws -> [[UInt8]] {
    let first = lastRequest + 1
    var bytes: [UInt8] = []
    for request in requests {
      lastRequest += 1
      bytes += Array("\(request.verb) c\(lastRequest) \(request.function) \(request.arguments)\n".utf8)
    }
    try connection.send(bytes)
    var values = [[UInt8]?](repeating: nil, count: requests.count)
    var missing = requests.count
    while missing > 0 {
      let line = try connection.readLine()
      let parts = line.split(separator: 32, maxSplits: 3)
      let verb = parts.first.map { String(decoding: $0, as: UTF8.self) }
      guard verb == "ok", parts.count == 4, let id = Int(String(decoding: parts[1].dropFirst(), as: UTF8.self)),
        values.indices.contains(id - first)
      else { throw BenchmarkError("Martlet answered \(String(decoding: line.prefix(1_000), as: UTF8.self))") }
      values[id - first] = Array(parts[3])
      missing -= 1
    }
    return values.map { $0! }
  }

  func decode<Value: Decodable>(_ type: Value.Type, from json: [UInt8]) throws -> Value {
    do {
      return try JSONDecoder().decode(type, from: Data(json))
    } catch {
      throw BenchmarkError("Martlet's value isn't what was expected (\(type)): \(String(decoding: json.prefix(500), as: UTF8.self))")
    }
  }
}

/// An account, as `accounts:get` returns it.
struct AccountDocument: Decodable {
  var _id: String
  var owner: String
  var balance: Double
}
