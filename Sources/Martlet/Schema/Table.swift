/// A table of documents: its name, its fields and its indexes, each a stored property.
///
/// ```swift
/// struct Accounts: Table {
///   static let name = "accounts"
///   let owner   = Field(.string)
///   let balance = Field(.double)
///   let byOwner = Index(\Accounts.owner)
/// }
/// ```
///
/// A field or an index without a name of its own takes its property's. One instance of the struct is made for each
/// process, by `TableSchema`; it holds no data and is never stored.
public protocol Table: Sendable {
  /// The name on the wire and in snapshots: a letter, then letters, digits and `_`, 64 characters at most.
  static var name: String { get }
  /// Whether documents may have fields beside the declared ones, of any name and value: a table without a schema, or with one for a
  /// part of its fields. Such fields are read by `document["name"]`, and written by `$0["name"] = …`. False unless said.
  static var allowsOtherFields: Bool { get }
  init()
}

extension Table {
  public static var allowsOtherFields: Bool { false }
}

/// A document's id, typed by its table, so that an account's id can't be passed where a product's is due.
public struct ID<T: Table>: Sendable, Hashable, CustomStringConvertible {
  public let raw: DocumentID

  @inlinable public init(_ raw: DocumentID) { self.raw = raw }

  /// The id that `text` stands for; nil unless it is well formed. Whether it is of table `T` is known by a server only,
  /// which checks it where the id comes in as an argument or a field.
  public init?(_ text: String) {
    guard let raw = DocumentID(text) else { return nil }
    self.raw = raw
  }

  public var description: String { raw.description }
}

extension ID: WireValue {
  public static func decode(from reader: inout JSONReader) throws -> ID<T> {
    let raw: DocumentID
    do {
      raw = try DocumentID.decode(from: &reader)
    } catch var error as ValidationError {
      error.expected = "id of \(T.name)"
      throw error
    }
    if let context = reader.context {
      // Only `Arguments` sets it, to the catalog of the engine that runs the function, which the call keeps alive.
      let catalog = unsafeDowncast(context.takeUnretainedValue(), to: Catalog.self)
      if !catalog.isOf(T.self, raw) {
        let found = catalog.table(number: raw.tableNumber).map { "id of \($0.layout.name)" } ?? "id of no table here"
        throw ValidationError(expected: "id of \(T.name)", found: found)
      }
    }
    return ID(raw)
  }
  public func encode(to writer: inout JSONWriter) { raw.encode(to: &writer) }
  public static var shape: ValidatorShape { .id(table: T.name) }
}

/// For members of `Codable` types; Martlet's own coders read and write ids as `WireValue`s, and look up their tables.
extension ID: Codable {
  public init(from decoder: any Decoder) throws { self.init(try DocumentID(from: decoder)) }
  public func encode(to encoder: any Encoder) throws { try raw.encode(to: encoder) }
}

extension Validator {
  /// An id of a document of `table`.
  public static func id<Owner: Table>(_ table: Owner.Type) -> Validator<ID<Owner>> where T == ID<Owner> {
    Validator<ID<Owner>>(shape: .id(table: Owner.name), mayRefuse: false)
  }
}
