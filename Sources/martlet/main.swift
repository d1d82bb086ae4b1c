import BankExample
import MartletCommands
import NotesExample
import StoreExample

await MartletApp(examples: [
  Example(
    "bank", AppDefinition(tables: BankApp.tables, modules: BankApp.modules),
    suggestions: ["subscribe accounts:total", "run accounts:open owner=ada balance=1000"]),
  Example(
    "notes", AppDefinition(tables: NotesApp.tables, modules: NotesApp.modules),
    suggestions: ["subscribe notes:newest", "run notes:add text=hello"]),
  Example(
    "store",
    AppDefinition(
      tables: StoreApp.tables, modules: StoreApp.modules, triggers: StoreApp.triggers, crons: StoreApp.crons, pools: StoreApp.pools,
      workpools: StoreApp.workpools, tokens: StoreApp.tokens),
    suggestions: ["run products:list", #"subscribe orders:getOrdersByStatus '{"status":"pending"}'"#]),
]).main()
