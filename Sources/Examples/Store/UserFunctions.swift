import Martlet

public enum UserFunctions: FunctionModule {
  public static let path = "users"
  public static let functions: [any ServerFunction] = [register, me]

  /// Makes a customer. An address has one: a second is refused by the index, with `not_unique` in the error's data.
  public static let register = Mutation("register", Arg("name", .string), Arg("email", .string)) { ctx, name, email in
    guard !name.isEmpty else { throw ApplicationError("name must not be empty") }
    let address = email.lowercased()
    guard address.split(separator: "@", omittingEmptySubsequences: false).count == 2, !address.contains(where: \.isWhitespace) else {
      throw ApplicationError("email must be an address")
    }
    return try ctx.db.insert(Users.self) {
      $0.name = name
      $0.email = address
      $0.role = .user
      $0.createdAt = ctx.now
    }
  }

  /// Who is signed in, or nil.
  public static let me = Query("me") { ctx in try ctx.signedIn() }
}
