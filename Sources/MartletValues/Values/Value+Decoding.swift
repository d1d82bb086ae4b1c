extension Value {
  /// The same value as another type: what a job or a retried action answered, as that which its function answers.
  ///
  /// It goes by the value's JSON, so it isn't for hot paths.
  ///
  /// - Throws: `ValidationError`, where the value doesn't fit.
  public func decode<T: WireValue>(as type: T.Type = T.self) throws -> T {
    var writer = JSONWriter()
    writer.write(value: self)
    return try writer.withUnsafeBytes { bytes in
      var reader = JSONReader(bytes)
      return try T.decode(from: &reader)
    }
  }
}
