import MartletCommands

// What the end-to-end tests of concurrent histories serve: transactions that a client makes up, over lists, a bank and a set; and jobs
// whose outcome is planned.
await MartletApp(
  schema: [
    Lists.self, Padding.self, Balances.self, Members.self, Plans.self, Added.self, Tallies.self, Completions.self, Ticks.self,
  ],
  functions: [ListFunctions.self, BankFunctions.self, SetFunctions.self, JobFunctions.self], crons: JobFunctions.crons, name: "history-app"
).main()
