/// What an app is: its tables, its functions, what runs with each change of a table and on a calendar, and what its
/// functions may use.
package struct AppDefinition: Sendable {
  package var tables: [any Table.Type]
  package var modules: [any FunctionModule.Type]
  package var triggers: [Trigger]
  package var crons: [Cron]
  package var limits: Limits

  package init(
    tables: [any Table.Type], modules: [any FunctionModule.Type], triggers: [Trigger] = [], crons: [Cron] = [],
    limits: Limits = Limits()
  ) {
    self.tables = tables
    self.modules = modules
    self.triggers = triggers
    self.crons = crons
    self.limits = limits
  }

  /// Several apps served as one.
  package init(merging apps: [AppDefinition]) {
    self.init(
      tables: apps.flatMap(\.tables), modules: apps.flatMap(\.modules), triggers: apps.flatMap(\.triggers),
      crons: apps.flatMap(\.crons))
  }
}
