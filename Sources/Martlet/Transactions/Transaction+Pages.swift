import MartletWire

/// What a page is asked for with, without its documents' type.
struct PageRequest {
  var range: TableRange
  /// How many documents at most, where no end is given.
  var items: Int
  var cursor: String?
  var endCursor: String?
  var mostRows: Int?
  var mostBytes: Int?
  /// Whether the page keeps its end while it is live.
  var keepsEnd = true
  /// Whether one document more is read, to tell whether this page is the last.
  var looksAhead = false
}

/// A page as it was read.
struct PageReading {
  var documents: [DocumentStorage] = []
  var continueCursor: String
  var isDone: Bool
  var status: PageStatus?
  var splitCursor: String?
}

/// Reading a page.
///
/// What is noted as read is what the page covers, from its start to its end: a commit beyond concerns another page.
extension Transaction {
  func page(_ request: PageRequest, _ accepts: (DocumentStorage) throws -> Bool) throws -> PageReading {
    let fingerprint = request.range.fingerprint
    let start = try request.cursor.map { try PageCursor.place($0, of: fingerprint, "cursor") }
    var end = try request.endCursor.map { try PageCursor.place($0, of: fingerprint, "endCursor") }
    var part = request.range
    var from: IndexKey?
    switch start {
    case .after(let position):
      from = position
      part.begin(after: position)
    case .end:
      try charge()
      return PageReading(continueCursor: PageCursor.text(.end, of: fingerprint), isDone: true)
    case nil: break
    }
    var livePage: PageJournal.Page?
    if request.keepsEnd, end == nil, let known = pageJournal?.page(fingerprint, from: from) { (livePage, end) = known }
    if case .after(let position) = end { part.end(at: position) }

    let rows = try readRows(of: part, request, isBounded: end != nil, accepts)
    let place: PagePlace =
      switch end {
      // Even of a page that was cut short: its neighbour begins there, and the rest is what it is to be split for.
      case .after(let position): .after(position)
      case .end, nil: rows.isExhausted ? .end : rows.last.map { .after($0) } ?? .end
      }
    if let livePage { pageJournal?.note(livePage, endsAt: place) }

    var page = PageReading(
      documents: rows.documents, continueCursor: PageCursor.text(place, of: fingerprint), isDone: place == .end,
      status: rows.status)
    if rows.count > 2, page.status != nil || page.documents.count > request.items,
      let middle = view(of: part.table).contents.position(in: part, offset: (rows.count - 1) / 2)
    {
      page.splitCursor = PageCursor.text(.after(middle), of: fingerprint)
    }
    return page
  }

  private struct Rows {
    var documents: [DocumentStorage] = []
    var count = 0
    var bytes = 0
    /// The position of the last one that belongs to the page.
    var last: IndexKey?
    var isExhausted = true
    var status: PageStatus?
  }

  private func readRows(
    of part: TableRange, _ request: PageRequest, isBounded: Bool, _ accepts: (DocumentStorage) throws -> Bool
  ) throws -> Rows {
    // A page that would exceed what the function may still read ends before that.
    let mostRows = max(1, min(request.mostRows ?? .max, limits.documentsRead - documentsRead))
    let mostBytes = request.mostBytes ?? .max
    var rows = Rows()
    try scan(part) { position, document in
      if request.looksAhead, !isBounded, rows.documents.count == request.items {
        rows.isExhausted = false
        return false
      }
      rows.count += 1
      rows.bytes += document.jsonCount
      rows.last = position
      if try accepts(document) { rows.documents.append(document) }
      if !request.looksAhead, !isBounded, rows.documents.count == request.items {
        rows.isExhausted = false
        return false
      }
      guard rows.count < mostRows, rows.bytes < mostBytes else {
        rows.isExhausted = false
        rows.status = .splitRequired
        return false
      }
      return true
    }
    if rows.status == nil, rows.count > mostRows / 4 * 3, rows.count > 2 { rows.status = .splitRecommended }
    return rows
  }
}
