import MartletSQLite

/// What a repair saved, and what it could not save.
public struct RepairSummary: Sendable {
  public let source: String
  public let output: String
  /// Documents of the app's tables.
  public let documents: Int
  /// The last commit of which there is something.
  public let timestamp: UInt64
  /// Up to this commit none is lost.
  public let completeThrough: UInt64
  public let isWhole: Bool
  /// What is lost or doubtful, a line each: document, table, commits, and where in the file.
  public let losses: [String]
}

extension MartletServer {
  /// Saves what is whole of a damaged data file into a new one, on which a server starts.
  /// - Parameter stopsAtLoss: whether commits that came after lost ones are left out.
  /// - Throws: where a server runs on the file, there is something at `output` already, or nothing could be saved.
  public static func repair(_ path: String, to output: String, stopsAtLoss: Bool = false) throws -> RepairSummary {
    let report = try DataFileRepair.run(path, to: output, stopsAtHole: stopsAtLoss)
    return RepairSummary(
      source: path, output: output, documents: report.documents, timestamp: report.timestamp, completeThrough: report.completeThrough,
      isWhole: report.isWhole, losses: losses(report))
  }

  private static func losses(_ report: RepairReport) -> [String] {
    var lines: [String] = []
    for commits in report.lostCommits {
      let place = commits.place.map { "at \($0)" } ?? "gone from the log"
      lines.append("commits after timestamp \(commits.after), up to \(commits.through), \(place)")
    }
    if report.commitsAfterLost > 0 {
      lines.append("\(report.commitsAfterLost) commits that came after these are in it: what they wrote is new, and the rest as of \(report.completeThrough)")
    }
    for document in report.lostDocuments {
      lines.append("document \(document.id.map { "\($0)" } ?? "(unknown)") of table \(document.table), at \(document.place)")
    }
    for damage in report.damage { lines.append("\(damage.table.map { "table \($0): " } ?? "")\(damage.reason), at \(damage.place)") }
    switch report.missing {
    case nil: lines.append("how many documents there were, for that is lost too")
    case let missing? where missing > 0: lines.append("\(missing) documents of which nothing is left")
    case let missing? where missing < 0: lines.append("\(-missing) documents more than there should be: some may have been deleted")
    default: break
    }
    if report.strayDocuments > 0 {
      lines.append(
        "\(report.strayDocuments) documents are from pages that nothing led to"
          + (report.strayAreUncertain ? ", and may be of an older state" : ""))
    }
    for table in report.renamedTables { lines.append("the name of a table, which is now called \(table)") }
    return lines
  }
}
