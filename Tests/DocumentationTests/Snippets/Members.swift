import MartletCommands

// More examples of docs/functions.md: defaults, unique indexes, tables without a schema, triggers.

struct Members: Table {
  static let name = "members"

  let email = Field(.string)
  let team = Field(.id(Teams.self))
  let points = Field(.double, default: 0)

  let byEmail = Index("by_email", \Members.email, unique: true)
}

struct Teams: Table {
  static let name = "teams"

  let title = Field(.string)
  let members = Field(.double, default: 0)
}

struct Events: Table {
  static let name = "events"
  static let allowsOtherFields = true

  let kind = Field(.string)
}

enum Club: FunctionModule {
  static let path = "club"
  static let functions: [any ServerFunction] = [join, record]

  static let join = Mutation("join", Arg("email", .string), Arg("team", .id(Teams.self))) { ctx, email, team in
    do {
      return try ctx.db.insert(Members.self) {
        $0.email = email
        $0.team = team
      }
    } catch let error as ApplicationError {
      ctx.log.info("\(email) is a member already: \(error.message)")
      return try ctx.db.query(Members.self).withIndex(\.byEmail) { $0.eq(\.email, email) }.unique()!.id
    }
  }

  static let record = Mutation(
    "record", Arg("kind", .string), Arg("details", .record(.any)), Arg("weight", .double, default: 1)
  ) { ctx, kind, details, weight in
    try ctx.db.insert(Events.self) {
      $0.kind = kind
      $0["weight"] = .float64(weight)
      for (name, value) in details { $0[name] = value }
    }
  }

  static let countMembers = Trigger.onChange(of: Members.self) { ctx, change in
    guard change.old?.team != change.new?.team else { return }
    if let old = change.old { try ctx.db.patch(old.team) { $0.members -= 1 } }
    if let new = change.new { try ctx.db.patch(new.team) { $0.members += 1 } }
  }
}

let club = MartletApp(
  schema: [Members.self, Teams.self, Events.self], functions: [Club.self], triggers: [Club.countMembers], name: "club")
