import MartletClient
import MartletCommands

// The examples of docs/functions.md, in an order that makes an app of them.

struct Channels: Table {
  static let name = "channels"

  let title = Field(.string)
  let kind = Field(.enumeration(ChannelKind.self))
  let topic = Field(.optional(.string))

  let byTitle = Index("by_title", \Channels.title)
}

enum ChannelKind: String, CaseIterable, Sendable {
  case open, invited
}

struct Messages: Table {
  static let name = "messages"

  let channel = Field(.id(Channels.self))
  let author = Field(.string)
  let text = Field(.string)
  let likes = Field(.double)
  let link = Field(.optional(Link.validator))

  let byChannel = Index("by_channel", \Messages.channel, summing: \Messages.likes)
  let byChannelAuthor = Index("by_channel_author", \Messages.channel, \Messages.author)
}

struct Link: Sendable {
  var url: String
  var title: String?

  static let validator = Validator<Link>.object(
    Property("url", \Link.url, .string), Property("title", \Link.title, .optional(.string))
  ) { url, title in
    guard url.hasPrefix("https://") else { throw ValidationError(expected: "an https address", found: "another") }
    return Link(url: url, title: title)
  }
}

struct ChannelStatistics: ValidatedValue {
  var messages: Int
  var likes: Double

  static let validator = Validator<ChannelStatistics>.object(
    Property("messages", \ChannelStatistics.messages, .wholeNumber), Property("likes", \ChannelStatistics.likes, .double)
  ) {
    ChannelStatistics(messages: $0, likes: $1)
  }
}

struct Newest: CodableWireValue {
  var author: String
  var text: String
}

enum Attachment: Sendable {
  case link(Link), quote(Quote), divider

  static let validator = Validator<Attachment>.tagged(
    "kind", Case("link", Link.validator, Attachment.link), Case("quote", .codable(Quote.self), Attachment.quote),
    Case("divider", Attachment.divider)
  ) { attachment, link, quote, divider in
    switch attachment {
    case .link(let it): link(it)
    case .quote(let it): quote(it)
    case .divider: divider()
    }
  }
}

struct Quote: Codable, Sendable {
  var text: String
  var page: Int?
  var message: ID<Messages>?
}

struct Address: Sendable {
  var city: String
  var street: String

  static let validator = Validator<Address>.object(
    Property("city", \Address.city, .string), Property("street", \Address.street, .string)
  ) {
    Address(city: $0, street: $1)
  }
}

struct Customers: Table {
  static let name = "customers"

  let company = Field(.string)
  let address = Field(Address.validator)
  let favourite = Field(.optional(.codable(Quote.self)))

  let byCity = Index("by_city", \Customers.address.city, \Customers.company)
  let byPage = Index<Customers>("by_page", path: "favourite.page")
}

enum CustomerFunctions: FunctionModule {
  static let path = "customers"
  static let functions: [any ServerFunction] = [inCity, quoting]

  static let inCity = Query("inCity", Arg("city", .string)) { ctx, city in
    try ctx.db.query(Customers.self).withIndex(\.byCity) { $0.eq(\.address.city, city) }.collect()
  }

  static let quoting = Query("quoting", Arg("page", .double)) { ctx, page in
    try ctx.db.query(Customers.self).withIndex(\.byPage) { $0.eq("favourite.page", .float64(page)) }.count()
  }
}

enum Chat: FunctionModule {
  static let path = "chat"
  static let functions: [any ServerFunction] = [
    createChannel, post, like, remove, importAll, latest, between, firstAuthors, history, search, statistics, newest,
    export, postQuote,
  ]

  static let createChannel = Mutation(
    "createChannel", Arg("title", .string), Arg("kind", .enumeration(ChannelKind.self))
  ) { ctx, title, kind in
    let existing = try ctx.db.query(Channels.self).withIndex(\.byTitle) { $0.eq(\.title, title) }.first()
    if let existing { return existing.id }
    var random = ctx.random
    let color = ["red", "green", "blue"].randomElement(using: &random)!
    ctx.log.info("A new channel, \(title)")
    return try ctx.db.insert(Channels.self) {
      $0.title = title
      $0.kind = kind
      $0.topic = "Created at \(ctx.now), \(color)"
    }
  }

  static let post = Mutation(
    "post", Arg("channel", .id(Channels.self)), Arg("author", .string), Arg("text", .string), Arg("link", .optional(Link.validator))
  ) { ctx, channel, author, text, link in
    guard try ctx.db.find(channel) != nil else { throw ApplicationError("There is no such channel") }
    guard text.count <= 2_000 else {
      throw ApplicationError("The message is too long", data: ["limit": 2_000, "found": .float64(Double(text.count))])
    }
    return try ctx.db.insert(Messages.self) {
      $0.channel = channel
      $0.author = author
      $0.text = text
      $0.likes = 0
      $0.link = link
    }
  }

  static let like = Mutation("like", Arg("message", .id(Messages.self))) { ctx, message in
    try ctx.db.patch(message) { $0.likes += 1 }
  }

  static let remove = Mutation("remove", Arg("message", .id(Messages.self))) { ctx, message in
    try ctx.db.delete(message)
  }

  static let importAll = Mutation(
    "importAll", Arg("channel", .id(Channels.self)), Arg("texts", .array(.string))
  ) { ctx, channel, texts in
    var refused: [String] = []
    for text in texts {
      do {
        try ctx.run(post(channel, "import", text, nil))
      } catch let error as ApplicationError {
        refused.append(error.message)
      }
    }
    return refused
  }

  static let latest = Query(
    "latest", Arg("channel", .id(Channels.self)), Arg("limit", .optional(.wholeNumber))
  ) { ctx, channel, limit in
    try ctx.db.query(Messages.self)
      .withIndex(\.byChannel) { $0.eq(\.channel, channel) }
      .order(.descending)
      .take(limit ?? 50)
  }

  static let between = Query(
    "between", Arg("channel", .id(Channels.self)), Arg("from", .string), Arg("until", .string)
  ) { ctx, channel, from, until in
    try ctx.db.query(Messages.self)
      .withIndex(\.byChannelAuthor) { $0.eq(\.channel, channel).gte(\.author, from).lt(\.author, until) }
      .filter { $0.likes > 0 }
      .collect()
  }

  static let firstAuthors = Query("firstAuthors", Arg("channel", .id(Channels.self)), Arg("count", .wholeNumber)) { ctx, channel, count in
    let messages = try ctx.db.query(Messages.self).withIndex(\.byChannel) { $0.eq(\.channel, channel) }
    var authors: [String] = []
    for message in try messages.documents() where !authors.contains(message.author) {
      authors.append(message.author)
      if authors.count == count { break }
    }
    return authors
  }

  static let history = Query("history", Arg("channel", .id(Channels.self)), Arg("page", .pagination)) { ctx, channel, page in
    try ctx.db.query(Messages.self)
      .withIndex(\.byChannel) { $0.eq(\.channel, channel) }
      .order(.descending)
      .paginate(page)
  }

  static let search = Query(
    "search", Arg("channel", .id(Channels.self)), Arg("where", .filter), Arg("page", .pagination)
  ) { ctx, channel, filter, page in
    try ctx.db.query(Messages.self)
      .withIndex(\.byChannel) { $0.eq(\.channel, channel) }
      .filter(.field("likes") > 0 || .field("link.title") != .missing)
      .filter(filter)
      .paginate(page)
      .map { $0.text }
  }

  static let newest = Query(
    "newest", Arg("channel", .id(Channels.self)), returns: .union(Validator<Newest>.codable(), Validator<Null>.null)
  ) { ctx, channel in
    let last = try ctx.db.query(Messages.self).withIndex(\.byChannel) { $0.eq(\.channel, channel) }.order(.descending).first()
    guard let last else { return Value.null }
    return ["author": .string(last.author), "text": .string(last.text)]
  }

  static let statistics = Query("statistics", Arg("channel", .id(Channels.self))) { ctx, channel in
    let messages = try ctx.db.query(Messages.self).withIndex(\.byChannel) { $0.eq(\.channel, channel) }
    return ChannelStatistics(messages: try messages.count(), likes: try messages.sum(\.likes))
  }

  static let export = Query(
    "export", Arg("channel", .id(Channels.self)),
    limits: {
      $0.documentsRead = 500_000
      $0.handlerMilliseconds = 10_000
    }
  ) { ctx, channel in
    try ctx.db.query(Messages.self).withIndex(\.byChannel) { $0.eq(\.channel, channel) }.collect()
  }

  static let postQuote = Action("postQuote", Arg("channel", .id(Channels.self))) { ctx, channel in
    let quote = try await QuoteService.next()
    return try await ctx.run(post(channel, "quotes", quote, nil))
  }
}

enum QuoteService {
  static func next() async throws -> String { "A swift sleeps on the wing." }
}

func chatMain() async {
  await MartletApp(schema: [Channels.self, Messages.self], functions: [Chat.self], name: "chat").main()
}

func chatClient() async throws {
  let client = try await MartletClient.connect(url: "martlet://127.0.0.1:7433")
  let channel = try await client.run(Chat.createChannel("birds", .open))
  try await client.run(Chat.post(channel, "ada", "Swifts are back", nil))
  for try await messages in client.subscribe(Chat.latest(channel, 10)) {
    print(messages.map { "\($0.author): \($0.text)" })
  }
}

func dashboard(_ client: MartletClient, _ channel: ID<Channels>) async throws {
  for try await (statistics, latest) in client.subscribe(Chat.statistics(channel), Chat.latest(channel, 10)) {
    print("\(latest.count) of \(statistics.messages) messages")
  }
}

func post(_ text: String, in channel: ID<Channels>, at now: Double, _ client: MartletClient) async throws {
  let id = ID<Messages>.placeholder
  try await client.run(Chat.post(channel, "ada", text, nil)) { local in
    let message = try Document<Messages>(placeholder: id, creationTime: now) {
      $0.channel = channel
      $0.author = "ada"
      $0.text = text
      $0.likes = 0
    }
    local.update(Chat.latest(channel, 10)) { $0.insert(message, at: 0) }
  }
}

func like(_ message: ID<Messages>, in channel: ID<Channels>, _ client: MartletClient) async throws {
  try await client.run(Chat.like(message)) { local in
    try local.update(Chat.latest(channel, 10)) { messages in
      for index in messages.indices where messages[index].id == message {
        try messages[index].patch { $0.likes += 1 }
      }
    }
  }
}

func pages(_ client: MartletClient, _ channel: ID<Channels>) async throws {
  let first = try await client.run(Chat.history(channel, PaginationOptions(numItems: 20)))
  let second = PaginationOptions(numItems: 20, cursor: first.continueCursor)
  for try await page in client.subscribe(Chat.history(channel, second)) {
    print(page.documents.map(\.text), page.isDone)
  }
}
