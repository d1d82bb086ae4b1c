import Martlet

// Times are milliseconds since 1970. Prices are 0 to 1: what the exchange pays for a share that wins.

/// What can be bet on.
public struct Markets: Table {
  public static let name = "markets"

  public let platform = Field(.enumeration(Platform.self))
  public let externalId = Field(.string)
  public let title = Field(.string)
  public let category = Field(.string)
  public let yesPrice = Field(.double)
  public let noPrice = Field(.double)
  public let volume = Field(.double)
  public let volume24h = Field(.double)
  public let endDate = Field(.double)
  public let url = Field(.string)
  public let updatedAt = Field(.double)

  public let byExternalId = Index("by_externalId", \Markets.platform, \Markets.externalId, unique: true)
  public let byVolume24h = Index("by_volume24h", \Markets.volume24h)
  public let byCategoryVolume24h = Index("by_category_volume24h", \Markets.category, \Markets.volume24h)

  public init() {}
}

public enum Platform: String, CaseIterable, Sendable {
  case opinionTrade = "opinion_trade"
}

/// A wallet that is watched.
public struct Whales: Table {
  public static let name = "whales"

  public let address = Field(.string)
  public let nickname = Field(.optional(.string))
  /// These three are of the activity that is kept, as of the last full hour.
  public let totalVolume = Field(.double, default: 0)
  public let tradeCount = Field(.wholeNumber, default: 0)
  public let lastActiveAt = Field(.optional(.double))

  public let byAddress = Index("by_address", \Whales.address, unique: true)
  public let byTotalVolume = Index("by_totalVolume", \Whales.totalVolume)

  public init() {}
}

/// A trade of a whale.
public struct WhaleActivity: Table {
  public static let name = "whaleActivity"

  public let whale = Field(.id(Whales.self))
  public let market = Field(.id(Markets.self))
  public let platform = Field(.enumeration(Platform.self))
  public let tradeId = Field(.string)
  public let action = Field(.enumeration(TradeAction.self))
  public let amount = Field(.double)
  public let price = Field(.double)
  public let timestamp = Field(.double)
  public let visibleToProAt = Field(.double)
  public let visibleToFreeAt = Field(.double)
  /// Whether these times have come. They are fields, and no comparison with the clock, so that a live query sees them change.
  public let isVisibleToPro = Field(.boolean)
  public let isVisibleToFree = Field(.boolean)

  public let byTradeId = Index("by_tradeId", \WhaleActivity.platform, \WhaleActivity.tradeId, unique: true)
  public let byWhaleTimestamp = Index(
    "by_whale_timestamp", \WhaleActivity.whale, \WhaleActivity.timestamp, summing: \WhaleActivity.amount)
  public let byTimestamp = Index("by_timestamp", \WhaleActivity.timestamp)
  public let byVisibleToPro = Index("by_visibleToPro", \WhaleActivity.isVisibleToPro, \WhaleActivity.timestamp)
  public let byVisibleToFree = Index("by_visibleToFree", \WhaleActivity.isVisibleToFree, \WhaleActivity.timestamp)

  public init() {}
}

public enum TradeAction: String, CaseIterable, Codable, Sendable {
  case buy = "BUY"
  case sell = "SELL"
}

/// A run of one of the crons, from its beginning to its end.
public struct SyncLogs: Table {
  public static let name = "syncLogs"

  public let type = Field(.enumeration(SyncType.self))
  public let status = Field(.enumeration(SyncStatus.self))
  public let startedAt = Field(.double)
  public let endedAt = Field(.optional(.double))
  /// What was stored, changed or removed.
  public let itemCount = Field(.wholeNumber, default: 0)
  public let errorCount = Field(.wholeNumber, default: 0)
  /// The last error.
  public let error = Field(.optional(.string))
  /// The retried fetch that it waits for, or waited for last.
  public let run = Field(.optional(.id(RetryRuns.self)))
  /// The last wallet of the batch that is being fetched.
  public let lastAddress = Field(.optional(.string))

  public let byTypeStatus = Index("by_type_status", \SyncLogs.type, \SyncLogs.status, \SyncLogs.startedAt)
  public let byStartedAt = Index("by_startedAt", \SyncLogs.startedAt)
  public let byRun = Index("by_run", \SyncLogs.run)

  public init() {}
}

public enum SyncType: String, CaseIterable, Sendable { case markets, whales, stats, cleanup }
public enum SyncStatus: String, CaseIterable, Sendable { case running, completed, failed }
