import Martlet

public enum WhaleFunctions: FunctionModule {
  public static let path = "whales"
  public static let functions: [any ServerFunction] = [track, untrack, leaderboard]

  /// Watches a wallet from now on; one that is watched already gets the nickname.
  public static let track = Mutation(
    "track", Arg("address", .string), Arg("nickname", .optional(.string)), visibility: .internal
  ) { ctx, address, nickname in
    guard address.isWalletAddress else {
      throw ApplicationError("A wallet's address is 0x and 40 hexadecimal digits in lower case, not \(address)")
    }
    if let known = try ctx.db.whale(address) {
      try ctx.db.patch(known.id) { $0.nickname = nickname }
      return known.id
    }
    return try ctx.db.insert(Whales.self) {
      $0.address = address
      $0.nickname = nickname
    }
  }

  /// Watches it no longer. Its activity stays until its time is over.
  public static let untrack = Mutation("untrack", Arg("address", .string), visibility: .internal) { ctx, address in
    if let known = try ctx.db.whale(address) { try ctx.db.delete(known.id) }
  }

  public static let leaderboard = Query("leaderboard", Arg("limit", .wholeNumber, default: 20)) { ctx, limit in
    try ctx.db.query(Whales.self).withIndex(\.byTotalVolume).order(.descending).take(limit)
  }
}

extension ReadsDatabase {
  func whale(_ address: String) throws -> Document<Whales>? {
    try query(Whales.self).withIndex(\.byAddress) { $0.eq(\.address, address) }.unique()
  }
}

extension String {
  /// It becomes a part of a URL, so nothing else may be in it.
  fileprivate var isWalletAddress: Bool {
    hasPrefix("0x") && utf8.count == 42 && utf8.dropFirst(2).allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }
}
