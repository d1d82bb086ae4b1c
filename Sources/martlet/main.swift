import BankExample
import EngagementExample
import MartletCommands
import OpinionScopeExample
import StoreExample

await MartletApp(examples: [
  Example(
    "bank", AppDefinition(tables: BankApp.tables, modules: BankApp.modules),
    suggestions: ["subscribe accounts:total", "run accounts:open owner=ada balance=1000"]),
  Example(
    "store", AppDefinition(tables: StoreApp.tables, modules: StoreApp.modules),
    suggestions: ["run products:list", #"subscribe orders:getOrdersByStatus '{"status":"pending"}'"#]),
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
