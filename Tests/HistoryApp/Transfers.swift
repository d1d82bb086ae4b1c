import MartletCommands

/// What files are imported into and exported from: documents of any kind, and a table with each type of field.
struct Records: Table {
  static let name = "records"
  static let allowsOtherFields = true
}

struct Typed: Table {
  static let name = "typed"
  let code = Field(.string)
  let amount = Field(.optional(.double))
  let big = Field(.optional(.int64))
  let isOpen = Field("isOpen", .optional(.boolean))
  let blob = Field(.optional(.bytes))
  let record = Field(.optional(.id(Records.self)))
  let tags = Field(.optional(.array(.string)))
  let byCode = Index("by_code", \Typed.code, unique: true)
  let byAmount = Index("by_amount", \Typed.amount)
}
