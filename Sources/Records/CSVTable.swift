//! A CSV file that grows by whole rows. Knows neither columns' meaning nor quoting: fields are names
//! and numbers without commas.

import Files

/// A table on disk. Each call appends its rows in one write, so that a killed run leaves whole ones.
package struct CSVTable: Sendable {
  package let path: String
  package let columns: [String]

  /// Starts the table with its header, or goes on with the one that stands at `path`.
  package init(path: String, columns: [String]) throws {
    self.path = path
    self.columns = columns
    guard !Files.exists(path) else { return }
    try Files.writeAtomically(columns.joined(separator: ",") + "\n", to: path)
  }

  package func append(_ rows: [[String]]) throws {
    precondition(rows.allSatisfy { $0.count == columns.count }, "a field for each column")
    let text = rows.map { $0.joined(separator: ",") + "\n" }.joined()
    try AppendedFile.append(Array(text.utf8), to: path)
  }
}
