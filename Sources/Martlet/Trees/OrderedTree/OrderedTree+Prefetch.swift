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
      var level = root.level
      while level > 0 {
        for index in ids.indices {
          let node = places[index].node
          let child = node.childIndex(for: InternalID(ids[index]))
          places[index] = (node.child(child), node.counts[child])
          places[index].node.prefetch(entries: places[index].count, isLeaf: level == 1)
        }
        level &-= 1
      }
      for index in ids.indices { places[index].node.prefetchDocument(of: InternalID(ids[index]), among: places[index].count) }
    }
  }
}

extension TreeNodeView {
  /// Fetches what a search of this node reads: all entries of a leaf, the keys of a branch node. Nothing is read of the node itself.
  /// - Parameter count: of a leaf, how many entries it has.
  @inline(__always)
  fileprivate func prefetch(entries count: Int, isLeaf: Bool) {
    let bytes = isLeaf ? count * MemoryLayout<Entry>.stride : TreeFanout.wide.branch * MemoryLayout<Key>.stride
    martlet_prefetch_range(header, MemoryLayout<TreeNodeHeader>.stride + bytes)
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
