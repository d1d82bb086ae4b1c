import MartletCommands

struct Balances: Table {
  static let name = "balances"
  let account = Field(.wholeNumber)
  let amount = Field(.double)
  let byAccount = Index("by_account", \Balances.account)
}

enum BankFunctions: FunctionModule {
  static let path = "bank"
  static let functions: [any ServerFunction] = [open, transfer, balances]

  static let open = Mutation("open", Arg("accounts", .wholeNumber), Arg("amount", .double)) { ctx, accounts, amount in
    for account in 0..<accounts {
      try ctx.db.insert(Balances.self) {
        $0.account = account
        $0.amount = amount
      }
    }
  }

  static let transfer = Mutation(
    "transfer", Arg("from", .wholeNumber), Arg("to", .wholeNumber), Arg("amount", .double), Arg("isLong", .boolean)
  ) { ctx, from, to, amount, isLong in
    func account(_ number: Int) throws -> Document<Balances> {
      guard let found = try ctx.db.query(Balances.self).withIndex(\.byAccount, { $0.eq(\.account, number) }).unique() else {
        throw ApplicationError("there is no account \(number)")
      }
      return found
    }
    let source = try account(from)
    if isLong { try ctx.db.takeTime() }
    guard source.amount >= amount else { throw ApplicationError("Insufficient funds") }
    try ctx.db.patch(source.id) { $0.amount -= amount }
    try ctx.db.patch(account(to).id) { $0.amount += amount }
  }

  static let balances = Query("balances", Arg("isLong", .boolean)) { ctx, isLong in
    let query = try ctx.db.query(Balances.self).withIndex(\.byAccount)
    let first = try query.take(2).map(\.amount)
    if isLong { try ctx.db.takeTime() }
    return first + (try query.collect().dropFirst(2).map(\.amount))
  }
}

struct Members: Table {
  static let name = "members"
  let element = Field(.wholeNumber)
}

enum SetFunctions: FunctionModule {
  static let path = "set"
  static let functions: [any ServerFunction] = [add, read]

  static let add = Mutation("add", Arg("element", .wholeNumber), Arg("fails", .boolean)) { ctx, element, fails in
    try ctx.db.insert(Members.self) { $0.element = element }
    if fails { throw ApplicationError("as asked") }
  }

  static let read = Query("read") { ctx in try ctx.db.query(Members.self).collect().map(\.element) }
}
