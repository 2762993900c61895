//! A training log as Keras's CSVLogger writes it. Knows columns and numbers, not what they measure.

import Files

/// log.csv: `epoch`, then the columns of the first epoch in alphabetical order. The file is whole
/// after every epoch.
package final class CSVLog {
  private let path: String
  private var columns: [String]?
  private var text = ""

  package init(path: String) { self.path = path }

  /// Adds a row; a column that the first row had and this one lacks says NA, as Keras's does.
  package func append(epoch: Int, values: [String: Double]) throws {
    let columns = columns ?? values.keys.sorted()
    if self.columns == nil {
      self.columns = columns
      text = (["epoch"] + columns).joined(separator: ",") + "\n"
    }
    let row = columns.map { column in
      // Keras's learning rate is a float32 and is printed as one.
      values[column].map { column == "lr" ? "\(Float($0))" : "\($0)" } ?? "NA"
    }
    text += (["\(epoch)"] + row).joined(separator: ",") + "\n"
    try Files.writeAtomically(text, to: path)
  }
}
