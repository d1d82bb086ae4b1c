import CHints

/// Having the processor fetch what a look-up will read. Both only read what is most likely in a cache already: branch nodes, and
/// a leaf that was fetched a moment ago.
extension OrderedTree {
  /// Fetches the leaf where `key` is or belongs, of which only the parent is looked at.
  func prefetchLeaf(of key: Key) {
    guard let (leaf, count) = leaf(for: key) else { return }
    prefetch(leaf.header, byteCount: count * MemoryLayout<Entry>.stride)
  }
}

extension OrderedTree where Payload == DocumentEntry {
  /// Fetches the beginning of a document, without counting a reference: that would wait for it.
  func prefetchDocument(of key: Key) {
    guard let entry = entry(of: key) else { return }
    let address = withUnsafePointer(to: &entry.pointee.payload) { UnsafeRawPointer($0).load(as: UnsafeRawPointer.self) }
    prefetch(address, byteCount: 256)
  }
}

extension TreeNodeView {
  /// Fetches a child of this branch node: of a leaf everything, of a branch node its keys. Neither reads it, nor counts a reference.
  func prefetchChild(_ index: Int) {
    let child = UnsafeRawPointer(children + index).load(as: UnsafeRawPointer.self)
    let contents = level == 1 ? counts[index] * MemoryLayout<Entry>.stride : capacity * MemoryLayout<Key>.stride
    // The object's own words and the header are before the contents.
    prefetch(child, byteCount: 24 + contents)
  }
}

private func prefetch(_ start: UnsafeRawPointer, byteCount: Int) {
  var offset = 0
  while offset < byteCount {
    martlet_prefetch(start + offset)
    offset += 64
  }
}
