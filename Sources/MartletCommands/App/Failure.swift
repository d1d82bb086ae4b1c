import ArgumentParser
import MartletClient

/// Why a command ended, as its exit status and what it says.
///
/// | status | |
/// |---|---|
/// | 0 | help, a version, or a reader that has read enough |
/// | 1 | an error: of the server, of a function, of a file |
/// | 64 | the command line is wrong (`EX_USAGE`) |
struct Failure {
  let status: Int32
  private let report: Report

  private enum Report {
    case nothing
    /// ArgumentParser's own words: help goes to standard output, the rest to standard error.
    case parser(String)
    case error(MartletError)
    case message(String)
    case reported(any ReportedError)
  }

  init(_ error: any Error) {
    switch error {
    case is OutputClosed: (status, report) = (0, .nothing)
    case let error as MartletError: (status, report) = (1, .error(error))
    case let error as any ReportedError: (status, report) = (1, .reported(error))
    default:
      // ArgumentParser keeps its errors to itself, but tells their status. Every error of another origin is a plain failure to it.
      let code = RootCommand.exitCode(for: error)
      if error is ExitCode || code == .success || code == .validationFailure {
        (status, report) = (code.rawValue, .parser(RootCommand.fullMessage(for: error)))
      } else {
        (status, report) = (1, .message("\(error)"))
      }
    }
  }

  /// Returns the exit status.
  func report(to console: Console, asJSON: Bool) -> Int32 {
    switch report {
    case .nothing: break
    case .parser(let text):
      guard !text.isEmpty else { break }
      try? (status == 0 ? console.output : console.errors).write(text + "\n")
    case .error(let error):
      try? console.errors.write(asJSON ? Value(error).json + "\n" : Self.text(of: error))
    case .reported(let error): try? console.errors.write(asJSON ? error.json.json + "\n" : "Error: \(error.text)\n")
    case .message(let message):
      let json: Value = ["message": .string(message)]
      try? console.errors.write(asJSON ? json.json + "\n" : "Error: \(message)\n")
    }
    return status
  }

  private static func text(of error: MartletError) -> String {
    var text = "Error: \(error.message) (\(error.code))\n"
    if let data = error.data { text += "data: \(data.json)\n" }
    if error.code == .forbidden || error.code == .unauthenticated {
      text += "The admin key is given by --token, or by MARTLET_ADMIN_KEY in the environment.\n"
    }
    return text
  }
}

/// An error that says more to a program than to a person.
protocol ReportedError: Error {
  var text: String { get }
  var json: Value { get }
}

extension Value {
  /// As the protocol writes an error.
  init(_ error: MartletError) {
    var fields: ObjectValue = ["code": .string(error.code.rawValue), "message": .string(error.message)]
    if let data = error.data { fields["data"] = data }
    self = .object(fields)
  }
}
