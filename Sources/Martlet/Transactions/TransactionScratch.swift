/// Buffers that a transaction builds documents in, used again by the next one on the same thread.
final class TransactionScratch {
  let changes = FieldChanges()
  // `@exclusivity(unchecked)`: one transaction on one thread uses them at a time, and what is done with them calls nobody else.
  @exclusivity(unchecked) var builder = DocumentBuilder()
  @exclusivity(unchecked) var keys = IndexKeyWriter()
}
