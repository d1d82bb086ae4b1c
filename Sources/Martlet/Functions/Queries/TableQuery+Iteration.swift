import MartletWire

/// A query's documents one after another. What was not taken is not read, and doesn't count as read.
///
/// ```swift
/// for message in try query.documents() where message.likes > 10 { … }
/// ```
///
/// The documents are those that the query had when `documents()` was called: what the loop itself writes doesn't change what
/// it goes through.
///
/// A `for` loop can't throw from its sequence. So where reading fails (a limit, a filter that throws), the sequence ends, the
/// error is kept, and every later call of the database throws it; a handler that makes none fails with it when it returns.
/// No answer is ever made of half a sequence. `forEach` throws at the place itself.
public struct DocumentSequence<T: Table>: Sequence {
  private let query: TableQuery<T>
  private let contents: TableContents

  init(_ query: TableQuery<T>) throws {
    try query.transaction.charge()
    self.query = query
    contents = query.transaction.view(of: query.range.table).contents
  }

  public func makeIterator() -> Iterator { Iterator(query, contents) }

  public struct Iterator: IteratorProtocol {
    private let query: TableQuery<T>
    private let step: () -> (position: IndexKey, document: DocumentStorage)?
    /// Which of the transaction's reads is this one's; nil while nothing was taken.
    private var read: Int?
    private var isOver = false

    fileprivate init(_ query: TableQuery<T>, _ contents: TableContents) {
      self.query = query
      step = query.range.isEmpty ? { nil } : contents.steps(through: query.range)
    }

    public mutating func next() -> Document<T>? {
      while !isOver {
        do { if let document = try advance() { return document } } catch {
          isOver = true
          query.transaction.fail(throwing: error)
        }
      }
      return nil
    }

    /// The next document; nil where it is filtered out, or the last one was passed.
    private mutating func advance() throws -> Document<T>? {
      let transaction = query.transaction
      try transaction.checkIsRunning()
      guard let (position, storage) = step() else {
        isOver = true
        read = transaction.note(range: query.range.asRead, insteadOf: read)
        return nil
      }
      if transaction.tracksReads {
        var passed = query.range
        passed.end(at: position)
        read = transaction.note(range: passed.asRead, insteadOf: read)
      }
      do { try transaction.charge(reads: 1) } catch { throw transaction.adviseIndex(for: query.range, error) }
      let document = Document(storage: storage, schema: query.schema)
      for predicate in query.predicates where try !predicate(document) { return nil }
      return document
    }
  }
}

extension TableQuery {
  /// The documents, for a `for` loop. See `DocumentSequence`.
  public func documents() throws -> DocumentSequence<T> { try DocumentSequence(self) }

  /// Calls `body` for each document, and throws what it throws.
  public func forEach(_ body: (Document<T>) throws -> Void) throws {
    try transaction.scan(range) { _, storage in
      let document = Document(storage: storage, schema: schema)
      for predicate in predicates where try !predicate(document) { return true }
      try body(document)
      return true
    }
  }
}
