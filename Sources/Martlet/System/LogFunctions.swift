import MartletWire

/// What functions logged and how they ran, in the module `_system`.
enum LogFunctions {
  static let all = [logs, functionStats]

  /// The newest entries of the log, or those that came after one.
  static let logs = FunctionDefinition(
    name: "_system:logs", visibility: .public,
    arguments: [
      ("limit", .optional(.wholeNumber)), ("after", .optional(.wholeNumber)), ("function", .optional(.string)),
      ("level", .optional(.enumeration(FunctionLog.Level.allCases.map(\.rawValue)))),
      ("runs", .optional(.enumeration(KeptRuns.allCases.map(\.rawValue)))),
    ],
    body: .system { engine, arguments, answer in
      let limit = try arguments.take("limit", Validator.optional(.wholeNumber)) ?? 100
      let after = try arguments.take("after", Validator.optional(.wholeNumber))
      let function = try arguments.take("function", Validator.optional(.string)) ?? ""
      let level = try arguments.take("level", Validator.optional(.enumeration(FunctionLog.Level.self))) ?? .debug
      let runs = try arguments.take("runs", Validator.optional(.enumeration(KeptRuns.self)))
      try arguments.finish()
      guard limit >= 0 else { throw WireError(.invalidArguments, "args.limit: expected 0 or more, found \(limit)") }
      if let after, after < 0 { throw WireError(.invalidArguments, "args.after: expected 0 or more, found \(after)") }
      if runs == .all { engine.keepAllRuns() }
      let filter = RunLog.Filter(function: function, level: level, wantsRuns: runs != nil)
      if let after {
        engine.runLog.write(after: UInt64(after), limit, filter, to: &answer)
      } else {
        engine.runLog.writeNewest(limit, filter, to: &answer)
      }
    })

  /// What all runs of each function that has run add up to.
  static let functionStats = FunctionDefinition(
    name: "_system:functionStats", visibility: .public, arguments: [],
    body: .system { engine, arguments, answer in
      try arguments.finish()
      let list = engine.registry.functions.compactMap { function -> Value? in
        let tally = engine.tallies[function]
        guard tally.runs > 0 else { return nil }
        var members: ObjectValue = [
          "name": .string(function.name), "kind": .string(function.kind.rawValue), "runs": .float64(Double(tally.runs)),
          "failures": .float64(Double(tally.failures)), "documentsRead": .float64(Double(tally.documentsRead)),
          "documentsWritten": .float64(Double(tally.documentsWritten)), "timedRuns": .float64(Double(tally.timedRuns)),
        ]
        if tally.timedRuns > 0 {
          members["meanMs"] = .float64(milliseconds(tally.time / tally.timedRuns))
          members["longestMs"] = .float64(milliseconds(tally.longestTime))
        }
        return .object(members)
      }
      answer.write(value: .array(list))
    })

  private static func milliseconds(_ nanoseconds: UInt64) -> Double { Double(nanoseconds / 1_000) / 1_000 }
}
