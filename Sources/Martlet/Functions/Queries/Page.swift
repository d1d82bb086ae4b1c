/// A page of a query: some of its documents, and where the next page begins.
///
/// On the wire `{"continueCursor":"…","isDone":false,"page":[…]}`, and where there is reason to split it also `pageStatus` and
/// `splitCursor`. Documents are copied into the answer as they stand.
public struct Page<Element: WireValue>: WireValue {
  public var items: [Element]
  /// The cursor of the next page. Valid behind the last one too, where it gives an empty page.
  public var continueCursor: String
  /// Whether the query's range ends with this page.
  public var isDone: Bool
  /// Whether the page should be read as two.
  public var status: PageStatus?
  /// Where to split it: the one page up to here (as `endCursor`), the other from here to `continueCursor`.
  public var splitCursor: String?

  public init(
    items: [Element], continueCursor: String, isDone: Bool, status: PageStatus? = nil, splitCursor: String? = nil
  ) {
    self.items = items
    self.continueCursor = continueCursor
    self.isDone = isDone
    self.status = status
    self.splitCursor = splitCursor
  }

  /// The same page with something else in each one's place.
  public func map<Other: WireValue>(_ transform: (Element) throws -> Other) rethrows -> Page<Other> {
    Page<Other>(
      items: try items.map(transform), continueCursor: continueCursor, isDone: isDone, status: status, splitCursor: splitCursor)
  }
}

extension Page where Element: AnyDocument {
  public var documents: [Element] { items }
}

/// A document, whatever its table.
public protocol AnyDocument: WireValue {}

extension Document: AnyDocument {}

/// What a client that shows a page should do with it.
public enum PageStatus: String, Sendable, Hashable, CaseIterable {
  /// It has become large.
  case splitRecommended = "SplitRecommended"
  /// It was cut short, at what it or its function may read.
  case splitRequired = "SplitRequired"
}

extension Page: Equatable where Element: Equatable {}

extension Page {
  /// Members that it doesn't know are skipped, so that a page can grow.
  public static func decode(from reader: inout JSONReader) throws -> Page<Element> {
    var items: [Element]?
    var continueCursor: String?
    var isDone: Bool?
    var status: PageStatus?
    var splitCursor: String?
    try reader.expect("object")
    try reader.readObject { reader, key throws in
      switch String(decoding: key, as: UTF8.self) {
      case "page": items = try [Element].decode(from: &reader)
      case "continueCursor": continueCursor = try String.decode(from: &reader)
      case "isDone": isDone = try Bool.decode(from: &reader)
      case "pageStatus": status = try String?.decode(from: &reader).flatMap(PageStatus.init)
      case "splitCursor": splitCursor = try String?.decode(from: &reader)
      default: _ = try reader.skipValue()
      }
    }
    guard let items, let continueCursor, let isDone else {
      throw ValidationError(expected: "a page with page, continueCursor and isDone", found: "an object without")
    }
    return Page(items: items, continueCursor: continueCursor, isDone: isDone, status: status, splitCursor: splitCursor)
  }

  public func encode(to writer: inout JSONWriter) {
    PageFrame(continueCursor: continueCursor, isDone: isDone, status: status, splitCursor: splitCursor)
      .write(items, to: &writer) { $0.encode(to: &$1) }
  }
}

/// All of a page's JSON but its items. Members in the order of their names.
struct PageFrame {
  let continueCursor: String
  let isDone: Bool
  let status: PageStatus?
  let splitCursor: String?

  func write<Item>(_ items: [Item], to writer: inout JSONWriter, _ write: (Item, inout JSONWriter) -> Void) {
    writer.write(raw: #"{"continueCursor":"#)
    writer.write(string: continueCursor)
    writer.write(raw: #","isDone":"#)
    writer.write(boolean: isDone)
    writer.write(raw: #","page":["#)
    for index in items.indices {
      if index > 0 { writer.write(byte: UInt8(ascii: ",")) }
      write(items[index], &writer)
    }
    writer.write(byte: UInt8(ascii: "]"))
    if let status {
      writer.write(raw: #","pageStatus":"#)
      writer.write(string: status.rawValue)
    }
    if let splitCursor {
      writer.write(raw: #","splitCursor":"#)
      writer.write(string: splitCursor)
    }
    writer.write(byte: UInt8(ascii: "}"))
  }
}
