/// Buffers that a transaction builds documents in, used again by the next one on the same thread.
final class TransactionScratch {
  let changes = FieldChanges()
  var builder = DocumentBuilder()
  var keys = IndexKeyWriter()
}
