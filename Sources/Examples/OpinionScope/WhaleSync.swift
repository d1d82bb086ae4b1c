import Martlet

/// Asks for the trades of all whales, five at a time, with a second between one batch and the next.
///
/// The pause is no sleep: the end of a batch has the next one begin a second later. So however many whales there are, no transaction reads more
/// than five, nothing waits in memory, and a server that is started anew goes on with the batch where it was.
///
/// A batch whose attempts all failed counts as an error of the sync, which goes on with the next one. A wallet that the exchange refuses for good
/// (404, or an answer of another shape) is an error as well, and the other four of its batch are stored.
public enum WhaleSync: FunctionModule {
  public static let path = "whaleSync"
  public static let functions: [any ServerFunction] = [start, fetch, batchEnded]

  static let batchSize = 5
  static let pause = Duration.seconds(1)

  public static let start = Mutation("start", visibility: .internal) { ctx -> ID<SyncLogs>? in
    guard let sync = try ctx.beginSync(.whales) else { return nil }
    try ctx.fetchNextBatch(of: sync, after: nil, .now)
    return sync
  }

  static let fetch = Action(
    "fetch", Arg("sync", .id(SyncLogs.self)), Arg("addresses", .array(.string)), visibility: .internal
  ) { ctx, sync, addresses in
    let exchange = try Exchange(ctx)
    var found: [WalletTrades] = []
    var errors: [String] = []
    for address in addresses {
      do {
        found.append(WalletTrades(address: address, trades: try await exchange.trades(of: address)))
      } catch let error as any RetryDecision where !error.isRetryable {
        errors.append("\(address): \(error)")
      }
    }
    try await ctx.run(ActivityFunctions.record(sync, found, errors))
  }

  static let batchEnded = Mutation(
    "batchEnded", Arg("run", .id(RetryRuns.self)), Arg("result", .retryResult), visibility: .internal
  ) { ctx, run, result in
    guard let sync = try ctx.sync(waitingFor: run) else { return }
    try ctx.addToSync(sync.id, result)
    try ctx.fetchNextBatch(of: sync.id, after: sync.lastAddress, .after(pause))
  }
}

extension MutationContext {
  /// Begins the batch after a wallet, or ends the sync where there is none.
  fileprivate func fetchNextBatch(of sync: ID<SyncLogs>, after last: String?, _ start: WorkStart) throws {
    let batch = try db.query(Whales.self).withIndex(\.byAddress) { $0.gt(\.address, last ?? "") }.take(WhaleSync.batchSize).map(\.address)
    guard !batch.isEmpty else { return try endSync(sync) }
    let run = try retrier.run(
      WhaleSync.fetch(sync, batch), start: start, options: RetryOptions(initialBackoff: .milliseconds(250), maxFailures: 3),
      onComplete: WhaleSync.batchEnded)
    try db.patch(sync) {
      $0.run = run
      $0.lastAddress = batch.last
    }
  }
}

/// What the exchange told of a wallet.
struct WalletTrades: Codable, Sendable {
  var address: String
  var trades: [Trade]
}
