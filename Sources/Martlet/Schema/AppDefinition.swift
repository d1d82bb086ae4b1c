/// What an app is: its tables, its functions, what runs with each change of a table and on a calendar, and what its
/// functions may use and reach.
package struct AppDefinition: Sendable {
  package var tables: [any Table.Type]
  package var modules: [any FunctionModule.Type]
  package var triggers: [Trigger]
  package var crons: [Cron]
  package var limits: Limits
  /// The pools that its actions name, with their places.
  package var pools: [String: Int]
  package var workpools: [Workpool]
  package var fetch: FetchRules
  /// Who holds the tokens of its clients.
  package var tokens: (any TokenVerifier)?
  /// Variables that its actions can't do without.
  package var requiredEnvironment: [String]

  package init(
    tables: [any Table.Type], modules: [any FunctionModule.Type], triggers: [Trigger] = [], crons: [Cron] = [],
    limits: Limits = Limits(), pools: [String: Int] = [:], workpools: [Workpool] = [], fetch: FetchRules = FetchRules(),
    tokens: (any TokenVerifier)? = nil, requiredEnvironment: [String] = []
  ) {
    self.tables = tables
    self.modules = modules
    self.triggers = triggers
    self.crons = crons
    self.limits = limits
    self.pools = pools
    self.workpools = workpools
    self.fetch = fetch
    self.tokens = tokens
    self.requiredEnvironment = requiredEnvironment
  }

  /// Several apps served as one.
  package init(merging apps: [AppDefinition]) {
    self.init(
      tables: apps.flatMap(\.tables), modules: apps.flatMap(\.modules), triggers: apps.flatMap(\.triggers),
      crons: apps.flatMap(\.crons), pools: apps.reduce(into: [:]) { $0.merge($1.pools, uniquingKeysWith: max) },
      workpools: apps.flatMap(\.workpools), tokens: apps.lazy.compactMap(\.tokens).first,
      requiredEnvironment: apps.flatMap(\.requiredEnvironment))
  }

  /// - Throws: for the first variable that is required and isn't there, or is empty.
  package func checkEnvironment(_ variables: [String: String]) throws(MissingVariable) {
    for name in requiredEnvironment where variables[name]?.isEmpty ?? true { throw MissingVariable(name: name) }
  }
}
