import MartletWire
import Synchronization

/// The imports and exports that are under way: each a handle, which a client names in its calls.
///
/// A handle holds memory (documents that are to be imported, a version of the tables), so it ends by itself: with the connection that
/// began it, or `idleSeconds` after its last call.
/// Of each kind there may be some at a time. Used from any thread; a call takes the handle out under the lock, and works without it.
final class Transfers: Sendable {
  static let idleSeconds = 600
  static let mostImports = 8
  static let mostExports = 64

  enum Handle: Sendable {
    case importing(ImportSession)
    case exporting(DatabaseSnapshot)
  }

  private struct Entry: Sendable {
    var handle: Handle
    var lastUse: UInt64
    let session: SessionID?
  }

  private let entries = Mutex<[String: Entry]>([:])

  /// Keeps a handle, and gives its name and whether it is the only one.
  func add(_ handle: Handle, of session: SessionID?, _ environment: EngineEnvironment) throws(WireError) -> (name: String, isFirst: Bool) {
    let name = UUIDText.make(environment.entropy.next(), environment.entropy.next())
    let now = environment.clock.monotonicNanoseconds()
    return try entries.withLock { entries throws(WireError) in
      let (imports, exports) = entries.values.reduce(into: (0, 0)) {
        if case .importing = $1.handle { $0.0 += 1 } else { $0.1 += 1 }
      }
      let (count, most) = if case .importing = handle { (imports, Self.mostImports) } else { (exports, Self.mostExports) }
      guard count < most else {
        throw WireError(
          .overloaded, "\(most) are under way, and no more may be; wait for one to end. One that was left ends \(Self.idleSeconds / 60) minutes later")
      }
      entries[name] = Entry(handle: handle, lastUse: now, session: session)
      return (name, entries.count == 1)
    }
  }

  private func use(_ name: String, _ environment: EngineEnvironment) throws(WireError) -> Handle {
    let now = environment.clock.monotonicNanoseconds()
    let handle = entries.withLock { entries in
      entries[name]?.lastUse = now
      return entries[name]?.handle
    }
    guard let handle else {
      throw WireError(
        .notFound, "there is no such import or export: it has ended, as it does with its connection, was not used for \(Self.idleSeconds / 60) minutes, or the server was restarted; begin again")
    }
    return handle
  }

  func importing(_ name: String, _ environment: EngineEnvironment) throws(WireError) -> ImportSession {
    guard case .importing(let session) = try use(name, environment) else { throw WireError(.notFound, "\(name) is an export") }
    return session
  }

  func exporting(_ name: String, _ environment: EngineEnvironment) throws(WireError) -> DatabaseSnapshot {
    guard case .exporting(let snapshot) = try use(name, environment) else { throw WireError(.notFound, "\(name) is an import") }
    return snapshot
  }

  func end(_ name: String) { entries.withLock { _ = $0.removeValue(forKey: name) } }

  /// Ends those that a connection began.
  func endAll(of session: SessionID) {
    entries.withLock { entries in
      if !entries.isEmpty { entries = entries.filter { $0.value.session != session } }
    }
  }

  /// Ends those that were not used for so long. False if none is left.
  func sweep(_ environment: EngineEnvironment) -> Bool {
    let now = environment.clock.monotonicNanoseconds()
    return entries.withLock { entries in
      entries = entries.filter { now &- $0.value.lastUse < UInt64(Self.idleSeconds) * 1_000_000_000 }
      return !entries.isEmpty
    }
  }
}

extension Engine {
  /// - Parameter session: whose it is; nil where it was begun within the server.
  func addTransfer(_ handle: Transfers.Handle, of session: SessionID?) throws -> String {
    if let session, sessions[session] == nil { throw WireError(.cancelled, "the connection has ended") }
    let (name, isFirst) = try transfers.add(handle, of: session, environment)
    if isFirst { sweepTransfersLater() }
    return name
  }

  private func sweepTransfersLater() {
    host.schedule(afterMilliseconds: Transfers.idleSeconds * 100) {
      self.assumeIsolated { if $0.transfers.sweep($0.environment) { $0.sweepTransfersLater() } }
    }
  }

  /// The tables of these names, or all of the app's.
  nonisolated func transferredTables(_ names: [String]?) throws -> [StoredTable] {
    let all = catalog.tables.filter { !$0.layout.definition.isSystem }
    guard let names else { return all.sorted { $0.layout.number < $1.layout.number } }
    return try names.map { name in
      guard let table = catalog.table(named: name) else {
        let names = all.map(\.layout.name).sorted().joined(separator: ", ")
        throw WireError(.notFound, "there is no table \"\(name)\"; there are: \(names). A table is declared in the app's schema")
      }
      guard !table.layout.definition.isSystem else {
        throw WireError(.forbidden, "table \(name) is the server's own; it is neither imported nor exported")
      }
      return table
    }
  }
}

extension TableLayout {
  /// What a client knows of a table that it imports or exports.
  func transferDescription(documents: Int) -> Value {
    [
      "name": .string(name), "number": .float64(Double(number)), "documents": .float64(Double(documents)), "schema": shape.jsonForm,
      "allowsOtherFields": .boolean(definition.allowsOtherFields),
    ]
  }
}
