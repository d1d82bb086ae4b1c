import MartletValues

extension TextTable {
  /// Columns as they are listed, for tables whose columns are known beforehand.
  init(maximumCellWidth: Int, @ColumnList _ columns: () -> [Column]) {
    self.init(columns: columns(), maximumCellWidth: maximumCellWidth, maximumLineWidth: nil)
  }

  @resultBuilder
  enum ColumnList {
    static func buildExpression(_ column: Column) -> [Column] { [column] }
    static func buildOptional(_ columns: [Column]?) -> [Column] { columns ?? [] }
    static func buildBlock(_ columns: [Column]...) -> [Column] { columns.flatMap(\.self) }
  }
}

extension TextTable.Column {
  /// - Parameter field: the system field that the values are rendered as.
  init(_ title: String, _ values: [Value?], as field: String? = nil, wraps: Bool = false) {
    self.init(title: title, cells: values.map { $0.map { CellText($0, field: field) } }, wraps: wraps)
  }
}
