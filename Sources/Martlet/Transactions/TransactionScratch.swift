/// Buffers that a transaction builds documents in, used again by the next one on the same thread.
///
/// What is lent of them calls nothing that could ask for it again: so no access is checked for that at run time.
final class TransactionScratch {
  let changes = FieldChanges()
  @exclusivity(unchecked) var builder = DocumentBuilder()
  @exclusivity(unchecked) var keys = IndexKeyWriter()
}
