/// Memory of documents that nobody holds any more, for new ones.
///
/// A server that commits lets go of a document for each that it makes, mostly one of about the same size. Given back to the
/// allocator and asked for again that memory costs some 50 ns, and much more whenever the allocator's own few places for the size
/// are all empty, or full. Here giving back is to store a pointer, and asking is to load it: no count of references, no lock.
///
/// Sizes are those of the allocator, 16 bytes apart, so that a document takes no more memory than it would without; a place is used
/// for documents of its size only. What finds no room here is freed as usual. At most 32 documents of each size up to a kilobyte
/// are kept, 1 MiB if there were all.
///
/// Of one thread.
struct SpareDocuments: ~Copyable {
  private static let sizes = 64
  private static let mostOfASize = 32

  /// Those of one size after those of another; made when the first one is kept.
  private var places: UnsafeMutablePointer<DocumentStorage>?
  /// One for each of `sizes`.
  private var counts = InlineArray<64, UInt8>(repeating: 0)

  deinit {
    guard let places else { return }
    for size in 0..<Self.sizes { (places + size * Self.mostOfASize).deinitialize(count: Int(counts[size])) }
    places.deallocate()
  }

  /// The size of a document with so many words behind its header, in 16 bytes of the allocator's memory, of which it keeps 8 for itself.
  @inline(__always)
  private static func size(words: Int) -> Int { (DocumentStorage.bytesBeforeTail + words * 4 + 8 + 15) / 16 }

  /// How many words a new document for so many must have room for, so that it can be used again for all of its size.
  static func capacity(words: Int) -> Int {
    let size = size(words: words)
    return size < sizes ? (size * 16 - 8 - DocumentStorage.bytesBeforeTail) / 4 : words
  }

  /// A document to be written over; nil where there is none of this size.
  @inline(__always)
  mutating func take(words: Int) -> DocumentStorage? {
    let size = Self.size(words: words)
    guard size < Self.sizes, counts[size] > 0, let places else { return nil }
    counts[size] -= 1
    return (places + (size * Self.mostOfASize + Int(counts[size]))).move()
  }

  /// Takes the reference away, and keeps the document's memory if that was the last one.
  @inline(__always)
  mutating func keep(_ reference: inout DocumentStorage?) {
    guard reference?.isHeldOnce == true, let words = reference?.wordCount else { return reference = nil }
    let size = Self.size(words: words)
    guard size < Self.sizes, counts[size] < Self.mostOfASize else { return reference = nil }
    let place = (places ?? makePlaces()) + (size * Self.mostOfASize + Int(counts[size]))
    if let document = reference.take() { place.initialize(to: document) }
    counts[size] += 1
  }

  @inline(never)
  private mutating func makePlaces() -> UnsafeMutablePointer<DocumentStorage> {
    let places = UnsafeMutablePointer<DocumentStorage>.allocate(capacity: Self.sizes * Self.mostOfASize)
    self.places = places
    return places
  }
}
