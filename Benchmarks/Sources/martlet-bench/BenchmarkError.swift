/// What stops a benchmark: a server that is missing or died, an answer that is not of the protocol, a check that failed.
///
/// The message is meant for whoever started the benchmark, and says what to do where there is something to do.
struct BenchmarkError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
