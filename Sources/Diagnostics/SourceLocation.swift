//! A place in a text that a user wrote. Knows nothing of what stands there.

/// A 1-based place in a file, or in a command-line override, whose `file` is then the whole option,
/// `--set seed=1`.
package struct SourceLocation: Hashable, Sendable, Codable, CustomStringConvertible {
  /// The path as the user would type it.
  package var file: String
  /// Line, from 1.
  package var line: Int
  /// Column in characters (Unicode scalars), from 1.
  package var column: Int

  package init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }

  /// `file:line:column`; an override is its own place.
  package var description: String {
    file.hasPrefix("--") ? file : "\(file):\(line):\(column)"
  }
}
