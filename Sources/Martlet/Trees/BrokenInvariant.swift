/// What a `checkInvariants()` walker found wrong. Only tests and the simulation call the walkers, which visit every
/// node; the engine itself never does.
struct BrokenInvariant: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
