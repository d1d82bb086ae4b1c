import MartletCommands

// What the end-to-end tests of concurrent histories serve: transactions that a client makes up, over lists, a bank and a set.
await MartletApp(
  schema: [Lists.self, Padding.self, Balances.self, Members.self], functions: [ListFunctions.self, BankFunctions.self, SetFunctions.self],
  name: "history-app"
).main()
