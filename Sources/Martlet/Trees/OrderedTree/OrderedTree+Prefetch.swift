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

private func prefetch(_ start: UnsafeRawPointer, byteCount: Int) {
  var offset = 0
  while offset < byteCount {
    martlet_prefetch(start + offset)
    offset += 64
  }
}
