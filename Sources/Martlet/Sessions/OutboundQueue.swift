/// A session's answers and updates on their way out, in order, each held until the batch that it depends on is durable (G2).
///
///     │ ready: may leave now │ held until batch 7 │ held until batch 8 │
///
/// One queue and one order: what is ready but comes after something held waits with it, so that a client sees the same
/// order whatever the disk does. A state machine without any output of its own.
struct OutboundQueue: ~Copyable {
  private var ready = JSONWriter(capacity: 512)
  private var held = JSONWriter(capacity: 512)
  private var segments: ContiguousArray<(batch: UInt64, end: Int)> = []

  var readyCount: Int { ready.count }
  var heldCount: Int { held.count }
  var byteCount: Int { ready.count + held.count }
  var isEmpty: Bool { ready.count == 0 && held.count == 0 }

  /// Appends what `write` writes.
  /// - Parameter batch: the batch that it depends on, 0 for none.
  mutating func append(dependingOn batch: UInt64, _ write: (inout JSONWriter) -> Void) {
    guard batch != 0 || !segments.isEmpty else { return write(&ready) }
    write(&held)
    if let last = segments.indices.last, segments[last].batch >= batch {
      segments[last].end = held.count
    } else {
      segments.append((batch, held.count))
    }
  }

  /// Whether something waits for this batch already.
  func holds(_ batch: UInt64) -> Bool { segments.last?.batch == batch }

  /// What waits for batches up to this one may leave.
  mutating func release(upTo batch: UInt64) {
    var end = 0
    var count = 0
    while count < segments.count, segments[count].batch <= batch {
      end = segments[count].end
      count += 1
    }
    guard count > 0 else { return }
    segments.removeFirst(count)
    if end == held.count, ready.count == 0 {
      swap(&ready, &held)
    } else {
      held.withUnsafeBytes { ready.write(raw: UnsafeRawBufferPointer(rebasing: $0[..<end])) }
      let rest = held.withUnsafeBytes { [UInt8]($0[end...]) }
      held.removeAll()
      held.write(raw: rest)
      for index in segments.indices { segments[index].end -= end }
    }
  }

  /// Hands over what may leave, and forgets it.
  mutating func takeReady(_ send: (UnsafeRawBufferPointer) -> Void) {
    guard ready.count > 0 else { return }
    ready.withUnsafeBytes(send)
    ready.removeAll()
  }

  /// Takes out everything held, which will never be durable.
  mutating func takeHeld() -> [UInt8] {
    defer {
      held.removeAll()
      segments.removeAll()
    }
    return held.bytes
  }
}
