/// What actions have of the world beside the database; one for a server.
package final class OutsideWorld: Sendable {
  /// How other servers are reached; nil where none is.
  package let fetcher: (any HTTPFetcher)?
  /// The process's environment as it was at the start.
  let variables: [String: String]
  let secrets = Secrets()

  package init(fetcher: (any HTTPFetcher)? = nil, variables: [String: String] = [:]) {
    self.fetcher = fetcher
    self.variables = variables
  }
}
