import MartletCommands

// What the end-to-end tests of concurrent histories serve: transactions that a client makes up, over lists, a bank and a set; jobs
// whose outcome is planned; live queries of each kind; and tables that files are imported into.
await MartletApp(
  schema: [
    Lists.self, Padding.self, Balances.self, Members.self, Plans.self, Added.self, Tallies.self, Completions.self, Ticks.self,
    Items.self, Titles.self, Records.self, Typed.self,
  ],
  functions: [ListFunctions.self, BankFunctions.self, SetFunctions.self, JobFunctions.self, LiveFunctions.self], crons: JobFunctions.crons,
  name: "history-app"
).main()
