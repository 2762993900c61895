//! What can go wrong while stages are kept and run, as facts; the prose is in one place.

/// A failing world, as the pipeline meets it.
package enum PipelineError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Something in a stage's output that an artifact cannot hold.
  case outputNotStorable(path: String, why: String)
  case outputEmpty(stage: String)
  case unreadable(path: String, why: String)
  /// A source file that was written to each time it was read.
  case sourceKeepsChanging(path: String)
  /// A source file that is no longer what the plan was made from.
  case sourceChanged(path: String)
  case workerNotStarted(path: String, why: String)
  /// What the worker itself said.
  case stageFailed(message: String)
  case workerExited(code: Int)
  case workerKilled(signal: Int)
  case workerLineTooLong(limit: Int)
  case commandNotStarted(program: String, why: String)
  case commandExited(code: Int)
  case commandKilled(signal: Int)
  /// Declared outputs that a command has not written, relative to its output folder.
  case outputsMissing(paths: [String])

  package var description: String {
    switch self {
    case .outputNotStorable(let path, let why): "cannot keep the output \(path): \(why)"
    case .outputEmpty(let stage): "stage `\(stage)` wrote no output"
    case .unreadable(let path, let why): "cannot read \(path): \(why)"
    case .sourceKeepsChanging(let path): "\(path) changed while it was read"
    case .sourceChanged(let path):
      "\(path) changed while the stage ran, so nobody knows what it read: run again"
    case .workerNotStarted(let path, let why): "cannot start \(path): \(why)"
    case .stageFailed(let message): message
    case .workerExited(let code): "the worker exited with code \(code)"
    case .workerKilled(let signal): "the worker was ended by signal \(signal)"
    case .workerLineTooLong(let limit):
      "the worker printed a line of more than \(limit) bytes where an event was due"
    case .commandNotStarted(let program, let why): "cannot start `\(program)`: \(why)"
    case .commandExited(126): "the command exited with code 126: a program in it is not executable"
    case .commandExited(127): "the command exited with code 127: a program in it was not found"
    case .commandExited(let code): "the command exited with code \(code)"
    case .commandKilled(let signal): "the command was ended by signal \(signal)"
    case .outputsMissing(let paths):
      "the command ended without writing \(paths.map { "`\($0)`" }.joined(separator: ", "))"
    }
  }
}
