/// Where the pages of one live query end, from each run to the next.
///
/// A page is asked for as "ten documents after this one". Were a live page to be counted out anew in each run, an insertion
/// would push its last document out, into the gap before the next page, which still begins where this one used to end; and
/// a deletion would pull in a document that the next page has as well. So the end of a page is decided once, in the run that
/// first answers with it, and every later run of that live query gives what lies up to there, be it more or less than ten.
///
///     page 1  (start … e1]    page 2  (e1 … e2]    page 3  (e2 … end of data)
///
/// The page that reached the end of the data ends there: it grows.
///
/// A page is known by its query's fingerprint and its start, and where a function reads the same page several times by
/// which time it is. One that wasn't read in the last run is forgotten.
struct PageJournal {
  struct Page: Hashable, Sendable {
    let fingerprint: UInt64
    let start: IndexKey?
    let repetition: Int
  }

  typealias Ends = [Page: PagePlace]

  private let known: Ends
  /// Of the pages of this run.
  private(set) var ends: Ends = [:]

  init(_ known: Ends) { self.known = known }

  /// Which page this is, and where it ended in the run before; nil if it is new.
  func page(_ fingerprint: UInt64, from start: IndexKey?) -> (page: Page, end: PagePlace?) {
    var repetition = 0
    while ends[Page(fingerprint: fingerprint, start: start, repetition: repetition)] != nil { repetition += 1 }
    let page = Page(fingerprint: fingerprint, start: start, repetition: repetition)
    return (page, known[page])
  }

  mutating func note(_ page: Page, endsAt end: PagePlace) { ends[page] = end }
}

/// Where a page begins or ends.
enum PagePlace: Hashable, Sendable {
  /// Behind this position, in the query's order.
  case after(IndexKey)
  /// Behind everything.
  case end
}
