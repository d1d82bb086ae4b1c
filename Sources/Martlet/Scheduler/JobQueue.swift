/// What the engine keeps of the scheduler beside the jobs themselves, which are documents.
struct JobQueue {
  /// Jobs that are being run now, on other threads or as actions: they are still `pending` in the table, or `inProgress`.
  var running: Set<DocumentID> = []
  /// The actions of jobs that run, so that `cancel` reaches them.
  var actions: [DocumentID: ActionID] = [:]
  /// Actions that wait for the commit which says that they begin.
  var beginning = 0
  /// Of each pool, where in the index of due jobs its next action is looked for: none of its jobs stands before. Pools that aren't there are looked
  /// through from the beginning. Kept only where there are several: in the one pool that there is, what is due stands first.
  var places: [String: IndexKey] = [:]
  /// No job starts before the server is ready.
  var isOn = false
  /// Jobs were written since they were last looked at.
  var isStale = false
  /// Those of the scheduler's own transactions that are under way: what begins crons, what removes old jobs.
  var keepingUp: Set<String> = []
  /// When the timer that is set goes off; nil where none is.
  var wakeTime: Double?
  var statistics = JobStatistics()
  /// When old jobs are looked for next: none is too old before.
  var removalTime = 0.0
  /// When the server began to run jobs: what was due before is late from then on.
  var startTime = 0.0
  /// Until when one of the scheduler's own transactions is left alone, because it failed.
  var rests: [String: Double] = [:]

  func restsUntil(_ function: FunctionDefinition) -> Double { rests[function.name] ?? 0 }

  /// Mutations that run on other threads.
  var besideCount: Int { running.count - actions.count - beginning }

  func lateness(of job: Document<ScheduledFunctions>, now: Double) -> Double {
    now - max(job.storage.read(job.schema.prototype.scheduledTime), startTime)
  }

  /// How many jobs that run beside the engine's thread may run at a time.
  static let mostBeside = 16
  /// How many jobs are begun in one turn of the engine's thread, and for how long, before sockets are looked at again.
  static let mostPerTurn = 64
  static let nanosecondsPerTurn: UInt64 = 5_000_000
  /// How long one of the scheduler's own transactions is left alone after it failed.
  static let restMilliseconds = 60_000.0
  /// How many jobs of other pools are passed over in one turn, in search of one pool's.
  static let mostPassed = 4_096
  /// The longest that a timer is set for: the clock may be changed meanwhile.
  static let longestSleep = 3_600_000.0
  /// How long the job of a function that has run is kept.
  static let keptMilliseconds = 7 * 86_400_000.0
  /// How much longer it may be kept, so that what ends bit by bit isn't removed bit by bit.
  static let removalMilliseconds = 600_000.0
}

/// How jobs did since the start. Lateness is from the time that a job was scheduled for, or the server's start, to when it was begun.
struct JobStatistics {
  var run: UInt64 = 0
  var succeeded: UInt64 = 0
  var failed: UInt64 = 0
  var lastLateness = 0.0
  var greatestLateness = 0.0

  mutating func noteBegin(lateness: Double) {
    run += 1
    lastLateness = max(0, lateness)
    greatestLateness = max(greatestLateness, lastLateness)
  }
}
