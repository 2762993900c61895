//! A program of the user's as a stage: its words, with holes for what only a run knows. Knows no YAML.

/// What a stage runs instead of the worker. It is handed to the runner and in no key: the stage's
/// fields spell the same, with names of inputs for their paths.
package struct Command: Hashable, Sendable, Codable {
  /// A part of a word.
  package enum Piece: Hashable, Sendable, Codable {
    case text(String)
    /// The path of the input that plays this role.
    case input(String)
    /// The path of the folder that the program fills.
    case output
  }

  /// The program and its arguments. Its environment is ours and the stage's.
  package var words: [[Piece]]
  /// Whether paths are put into shell text, so that what a shell would take for more than a word is
  /// quoted.
  package var quotesPaths: Bool
  /// Where it runs.
  package var directory: String
  /// Files and folders, relative to the output folder, that must be there when it has ended.
  package var outputs: [String]

  package init(words: [[Piece]], quotesPaths: Bool, directory: String, outputs: [String] = []) {
    self.words = words
    self.quotesPaths = quotesPaths
    self.directory = directory
    self.outputs = outputs
  }

  /// `/bin/sh -c TEXT`.
  package init(shell text: [Piece], directory: String, outputs: [String] = []) {
    self.init(
      words: [[.text("/bin/sh")], [.text("-c")], text], quotesPaths: true, directory: directory,
      outputs: outputs)
  }
}
