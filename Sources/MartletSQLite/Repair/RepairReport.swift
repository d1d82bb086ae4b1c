import MartletValues

/// What a repair saved of a data file, and what is lost.
package struct RepairReport: Sendable {
  /// A document that is not whole.
  package struct LostDocument: Sendable {
    /// The table's name; its number where the name isn't known.
    package var table: String
    /// nil where the row doesn't even say which document it was. It is what the row says: that too may be wrong.
    package var id: DocumentID?
    package var place: String
  }

  /// Commits after a timestamp, up to another, of which at least one is lost.
  package struct LostCommits: Sendable {
    package var after: UInt64
    package var through: UInt64
    /// Where the row of the log is that should hold them; nil if it isn't there at all.
    package var place: String?
  }

  /// A page, or a part of one, that can't be read.
  package struct Damage: Sendable {
    /// nil: of the file as a whole.
    package var table: String?
    package var place: String
    package var reason: String
  }

  package var source: String
  package var output: String
  /// Documents of the app's tables that were saved.
  package var documents = 0
  /// The last commit that the new file has something of.
  package var timestamp: UInt64 = 0
  /// Every commit up to here that the file's log still had is in it.
  package var completeThrough: UInt64 = 0
  package var lostDocuments: [LostDocument] = []
  package var lostCommits: [LostCommits] = []
  package var damage: [Damage] = []
  /// How many documents the folded part is short of, or has too many of, by its own count; nil where the count is lost too.
  package var missing: Int?
  /// Commits that came after lost ones and were carried out all the same.
  package var commitsAfterLost = 0
  /// Documents from pages that nothing leads to any more; if the list of free pages is damaged too, they may be of an older state.
  package var strayDocuments = 0
  package var strayAreUncertain = false
  /// Tables whose names are lost, under the names that they were given.
  package var renamedTables: [String] = []

  /// Nothing was lost.
  package var isWhole: Bool {
    lostDocuments.isEmpty && lostCommits.isEmpty && damage.isEmpty && missing == 0 && strayDocuments == 0 && renamedTables.isEmpty
  }
}
