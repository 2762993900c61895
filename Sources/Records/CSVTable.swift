//! A CSV file that grows by whole rows. Knows neither columns' meaning nor quoting: fields are names
//! and numbers without commas.

import Diagnostics
import Files
import Glibc

/// A table on disk. Each call appends its rows in one write, so that a killed run leaves whole ones.
package struct CSVTable: Sendable {
  package let path: String
  package let columns: [String]

  /// Starts the table with its header.
  package init(path: String, columns: [String]) throws {
    self.path = path
    self.columns = columns
    try Files.writeAtomically(columns.joined(separator: ",") + "\n", to: path)
  }

  package func append(_ rows: [[String]]) throws {
    precondition(rows.allSatisfy { $0.count == columns.count }, "a field for each column")
    try Self.append(rows.map { $0.joined(separator: ",") + "\n" }.joined(), to: path)
  }

  /// Appends `text` to the file at `path` in one write.
  static func append(_ text: String, to path: String) throws {
    let bytes = Array(text.utf8)
    let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open", path) }
    defer { close(descriptor) }
    guard write(descriptor, bytes, bytes.count) == bytes.count else {
      throw failure("write", path)
    }
  }

  private static func failure(_ call: String, _ path: String) -> LibraryError {
    LibraryError(
      library: "libc", call: call, code: Int(errno), path: path,
      detail: String(cString: strerror(errno)))
  }
}
