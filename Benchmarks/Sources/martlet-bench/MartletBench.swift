import ArgumentParser

@main
struct MartletBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "martlet-bench",
    abstract: "Runs Martlet and a peer beside each other, in the same minute, and checks the data afterwards.",
    subcommands: [
      W1Transfers.self, W2Reads.self, CounterCheck.self, SubscriptionsCheck.self, AggregatesCheck.self, JobsCheck.self,
      W4Fanout.self, W9Restart.self, W11Idle.self, W12Stalled.self, Storm.self,
      PatchesCheck.self,
    ])
}
