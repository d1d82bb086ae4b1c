/// The bank on Redis, as Redis is at its fastest: an account is a string key with an integer in it, a transfer is one `EVALSHA` of a script
/// that reads, checks and writes. It does a little less than Martlet's function: no document, no owner, no check that the
/// receiver exists.
final class RedisBank: Bank {
  let server: RedisServer
  var process: ServerProcess { server.process }
  private var transferScript = ""
  private var keyParts = RequestParts([])
  private var keyCount = 0

  init(server: RedisServer) { self.server = server }

  private static func key(_ account: Int) -> String {
    let digits = String(account)
    return "account:" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
  }

  func open(count: Int, balance: Int) throws {
    try server.command(
      "EVAL", "for i = 0, ARGV[1] - 1 do redis.call('SET', string.format('account:%06d', i), ARGV[2]) end return 1", "0",
      "\(count)", "\(balance)")
    transferScript = try server.command(
      "SCRIPT", "LOAD",
      """
      if tonumber(redis.call('GET', KEYS[1])) < tonumber(ARGV[1]) then return redis.error_reply('Insufficient funds') end
      redis.call('DECRBY', KEYS[1], ARGV[1])
      redis.call('INCRBY', KEYS[2], ARGV[1])
      return 1
      """)
    keyCount = count
    keyParts = RequestParts((0..<count).map { RESP.bulk(Self.key($0)) })
  }

  func transfer(_ load: Load, plan: TransferPlan) throws -> LoadResult {
    let head = Array("*6\r\n".utf8) + RESP.bulk("EVALSHA") + RESP.bulk(transferScript) + RESP.bulk("2")
    let talk = Transfers(plan: plan, keys: keyParts, frame: RequestParts([head, RESP.bulk("1")]))
    return try LoadGenerator.run(load, talk, port: process.port, serverProcess: process.id)
  }

  func total() throws -> (count: Int, balance: Double) {
    // One MGET for each 5,000 keys: a script's stack doesn't hold more.
    let sum = try server.command(
      "EVAL",
      """
      local total = 0
      for first = 0, ARGV[1] - 1, 5000 do
        local keys = {}
        for i = first, math.min(first + 5000, ARGV[1]) - 1 do keys[#keys + 1] = string.format('account:%06d', i) end
        for _, balance in ipairs(redis.call('MGET', unpack(keys))) do total = total + tonumber(balance) end
      end
      return tostring(total)
      """, "0", "\(keyCount)")
    guard let balance = Double(sum), let count = Int(try server.command("DBSIZE")) else {
      throw BenchmarkError("Redis returned \(sum) as the sum of balances")
    }
    return (count, balance)
  }

  func balance(of account: Int) throws -> Double {
    let text = try server.command("GET", Self.key(account))
    guard let balance = Double(text) else { throw BenchmarkError("Redis returned \(text) as a balance") }
    return balance
  }

  private struct Transfers: Conversation {
    typealias Format = RESP
    var plan: TransferPlan
    let keys: RequestParts
    /// What stands before the keys, and what stands behind them (the amount).
    let frame: RequestParts

    @inline(__always)
    mutating func appendRequest(slot: Int, to output: inout OutputBuffer) {
      let (from, to) = plan.next()
      output.append(frame[0])
      output.append(keys[from])
      output.append(keys[to])
      output.append(frame[1])
    }

    @inline(__always)
    func judge(_ reply: Reply) -> Outcome { reply.outcomeOfTransfer }
  }
}
