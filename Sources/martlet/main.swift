import BankExample
import ChrondleExample
import EngagementExample
import MartletCommands
import NotesExample
import OpinionScopeExample
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
  Example(
    "chrondle",
    AppDefinition(
      tables: ChrondleApp.tables, modules: ChrondleApp.modules, triggers: ChrondleApp.triggers, crons: ChrondleApp.crons, pools: ChrondleApp.pools,
      workpools: ChrondleApp.workpools),
    suggestions: ["run events:loadHistory", "subscribe puzzles:today", "subscribe puzzles:stats"],
    environment: [
      ("OPENROUTER_API_KEY", "puzzles get no context"), ("HISTORY_URL", "no years are scraped"),
    ]),
  Example(
    "opinion-scope",
    AppDefinition(
      tables: OpinionScopeApp.tables, modules: OpinionScopeApp.modules, crons: OpinionScopeApp.crons,
      requiredEnvironment: OpinionScopeApp.requiredEnvironment),
    suggestions: ["subscribe markets:trending", "subscribe syncs:health"]),
  Example(
    "engagement",
    AppDefinition(
      tables: EngagementApp.tables, modules: EngagementApp.modules, triggers: EngagementApp.triggers, crons: EngagementApp.crons),
    suggestions: ["run engagementDemo:fill", "subscribe shows:trending"]),
  Example(
    "engagement-scans",
    AppDefinition(tables: ScansApp.tables, modules: ScansApp.modules, crons: ScansApp.crons, limits: ScansApp.limits), suggestions: []),
]).main()
