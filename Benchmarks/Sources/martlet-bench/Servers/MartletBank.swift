/// The bank on Martlet: its functions `accounts:openMany`, `accounts:transferFunds`, `accounts:total` and `accounts:get`.
final class MartletBank: Bank {
  let server: MartletServer
  var process: ServerProcess { server.process }
  private(set) var ids: [String] = []
  private var idParts = RequestParts([])

  /// Accounts opened by one mutation: well below the number of documents that a transaction may write.
  private static let chunk = 5_000

  init(server: MartletServer) { self.server = server }

  func open(count: Int, balance: Int) throws {
    var ids: [String] = []
    ids.reserveCapacity(count)
    while ids.count < count {
      let opened = try server.call(
        "mutation", "accounts:openMany", #"{"count":\#(min(Self.chunk, count - ids.count)),"balance":\#(balance)}"#, as: [String].self)
      guard !opened.isEmpty else { throw BenchmarkError("accounts:openMany opened no account") }
      ids += opened
    }
    self.ids = ids
    idParts = RequestParts(ids.map { Array($0.utf8) })
  }

  func transfer(_ load: Load, plan: TransferPlan) throws -> LoadResult {
    try LoadGenerator.run(load, Transfers(plan: plan, ids: idParts), port: process.port, serverProcess: process.id)
  }

  func total() throws -> (count: Int, balance: Double) {
    struct Total: Decodable { var count: Double, total: Double }
    let total = try server.call("query", "accounts:total", as: Total.self)
    return (Int(total.count), total.total)
  }

  func balance(of account: Int) throws -> Double {
    try server.call("query", "accounts:get", #"{"id":"\#(ids[account])"}"#, as: AccountDocument.self).balance
  }

  private struct Transfers: Conversation {
    typealias Format = MartletLines
    var plan: TransferPlan
    let ids: RequestParts

    @inline(__always)
    mutating func appendRequest(slot: Int, to output: inout OutputBuffer) {
      let (from, to) = plan.next()
      output.append("mutation ")
      output.append(decimal: slot)
      output.append(#" accounts:transferFunds {"from":""#)
      output.append(ids[from])
      output.append(#"","to":""#)
      output.append(ids[to])
      output.append("\",\"amount\":1}\n")
    }

    @inline(__always)
    func judge(_ reply: Reply) -> Outcome { reply.outcomeOfTransfer }
  }
}
