import MartletValues

/// What `serve` says when it is ready: where it is, and what to do next.
struct Welcome {
  var host: String
  var port: Int
  var documents: Int
  var timestamp: UInt64
  var options: ServeOptions
  var invocation: String
  var examples: [Example]
  var hasFunctions: Bool
  /// The server's.
  var environment: [String: String] = [:]

  var json: String {
    #"{"documents":\#(documents),"host":\#(Value.string(host).json),"port":\#(port),"timestamp":\#(timestamp)}"# + "\n"
  }

  var text: String {
    var lines = ["Martlet listens on \(address(of: host)), with \(documents.grouped) documents in \(options.data.data)."]
    if !examples.isEmpty {
      lines.append("It serves the example\(examples.count == 1 ? "" : "s") \(examples.map(\.name).joined(separator: " and ")).")
    } else if !hasFunctions {
      lines.append("It serves no app, only its own functions (_system). An app is named with --example, or is an executable of its own.")
    }
    lines += missing
    lines += ["", "In a second terminal:"]
    lines += suggestions.map { "  \(invocation) \($0)\(urlOption)" }
    lines += ["", "Ctrl-C stops it."]
    return lines.joined(separator: "\n") + "\n"
  }

  private var missing: [String] {
    examples.flatMap { example in
      example.environment.filter { environment[$0.name, default: ""].isEmpty }
        .map { "\($0.name) is not set, so \($0.without): start with \($0.name)=… \(invocation) serve --example \(example.name)" }
    }
  }

  private var suggestions: [String] {
    (hasFunctions ? ["functions"] : ["functions --all", "stats"]) + examples.flatMap(\.suggestions)
      + (hasFunctions && examples.isEmpty ? ["tables", "subscribe _system:stats"] : [])
  }

  /// Left out where the commands look there by themselves.
  private var urlOption: String {
    let isAnywhere = host == "0.0.0.0" || host == "::"
    let address = address(of: isAnywhere ? "127.0.0.1" : host)
    let url = "martlet://\(address)"
    return url == ConnectionOptions.standardURL ? "" : " --url \(url)"
  }

  private func address(of host: String) -> String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
