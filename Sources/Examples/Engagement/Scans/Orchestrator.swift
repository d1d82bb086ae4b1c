import Martlet

/// A scheduler made of a table: looks at each job every five minutes, whether it is due, and writes down that it looked.
public enum Orchestrator: FunctionModule {
  public static let path = "orchestrator"
  public static let functions: [any ServerFunction] = [orchestrate, setting, check]

  private static let jobs: [(name: String, hours: Double, call: FunctionCall<Null>)] = [
    ("check-completed-shows", 2, Scans.checkCompletedShows()), ("update-engagement-counts", 1, Scans.updateEngagementCounts()),
    ("update-artist-show-counts", 2, Scans.updateArtistShowCounts()), ("update-show-trending", 4, Scans.updateShowTrending()),
    ("update-artist-trending", 4, Scans.updateArtistTrending()),
  ]

  public static let orchestrate = Action("orchestrate", visibility: .internal) { ctx in
    for job in jobs {
      _ = try await ctx.run(setting(job.name))
      if try await ctx.run(check(job.name, job.hours * 3_600_000)) { _ = try await ctx.run(job.call) }
    }
  }

  static let setting = Query("setting", Arg("job", .string), visibility: .internal) { ctx, job in
    try ctx.db.query(CronSettings.self).withIndex(\.byJob) { $0.eq(\.job, job) }.first()
  }

  /// Whether it is due, and then it has run.
  static let check = Mutation("check", Arg("job", .string), Arg("interval", .double), visibility: .internal) { ctx, job, interval in
    guard let setting = try ctx.run(setting(job)) else {
      try ctx.db.insert(CronSettings.self) {
        $0.job = job
        $0.lastRunAt = ctx.now
        $0.checkedAt = ctx.now
      }
      return false
    }
    let isDue = setting.lastRunAt + interval <= ctx.now
    try ctx.db.patch(setting.id) {
      $0.checkedAt = ctx.now
      if isDue { $0.lastRunAt = ctx.now }
    }
    return isDue
  }
}
