import CHints

/// Having the processor fetch what look-ups are going to read.
///
/// A descent waits for each node before it knows the next one. Many descents side by side, a level at a time, wait for all nodes of
/// a level at once: while the first descents look for their way through a node, those of the others are on their way into the cache.
extension OrderedTree where Key == InternalID, Payload == DocumentEntry {
  /// Fetches the documents of these ids, where there are such, and all the nodes above them.
  func prefetch(_ ids: UnsafeBufferPointer<DocumentID>) {
    guard let root = rootView, !ids.isEmpty else { return }
    withUnsafeTemporaryAllocation(of: (node: View, count: Int).self, capacity: ids.count) { places in
      places.initialize(repeating: (root, count))
      for _ in 0..<root.level {
        for index in ids.indices {
          let node = places[index].node
          let child = node.childIndex(for: InternalID(ids[index]))
          node.prefetchChild(child)
          places[index] = (node.child(child), node.counts[child])
        }
      }
      for index in ids.indices { places[index].node.prefetchDocument(of: InternalID(ids[index]), among: places[index].count) }
    }
  }
}

extension TreeNodeView {
  /// Fetches what a search of a child of this branch node reads: of a leaf all entries, of a branch node its keys. Neither reads the child, nor
  /// counts a reference.
  @inline(__always)
  func prefetchChild(_ index: Int) {
    let child = UnsafeRawPointer(children + index).load(as: UnsafeRawPointer.self)
    let contents = level == 1 ? counts[index] * MemoryLayout<Entry>.stride : capacity * MemoryLayout<Key>.stride
    // The object's own words and the header are before the contents.
    martlet_prefetch_range(child, 24 + contents)
  }
}

extension TreeNodeView where Key == InternalID, Payload == DocumentEntry {
  /// Fetches the beginning of a document, without counting a reference: that would wait for it.
  @inline(__always)
  fileprivate func prefetchDocument(of id: InternalID, among count: Int) {
    let index = lowerBound(id, among: count)
    guard index < count, !(id < entries[index].key) else { return }
    let document = UnsafeRawPointer(entries + index).load(fromByteOffset: MemoryLayout<Key>.stride, as: UnsafeRawPointer.self)
    martlet_prefetch_range(document, Self.documentBytes)
  }

  /// The whole of a small document.
  private static var documentBytes: Int { 256 }
}
