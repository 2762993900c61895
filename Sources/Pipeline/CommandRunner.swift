//! Runs a stage that is a program of the user's, without the worker. Knows no stage's work.

import CPlatform
import Files
import Glibc
import Synchronization

/// Starts the stage's program directly, with its output in the stage's log.
///
/// What the program writes into its output folder is the stage's output, which may be nothing. Where
/// `metrics.json` is among it, its numbers are the stage's metrics.
package final class CommandRunner: StageRunner {
  private static let metricsName = "metrics.json"
  private static let metricsLimit = 1 << 20

  private let workingDirectory: String
  private let environment: [String: String]
  /// Made for the first program.
  private let guardian = Mutex<ProcessGuard?>(nil)

  package init() {
    workingDirectory = Self.currentDirectory()
    environment = Self.currentEnvironment()
  }

  package func run(
    _ task: StageTask, report: @escaping @Sendable (StageEvent) -> Void
  ) async throws -> StageOutcome {
    guard let command = task.command else { preconditionFailure("a stage without a command") }
    let words = command.words(
      inputs: task.inputs.mapValues(absolute), output: absolute(task.output))
    guard let program = words.first, !program.isEmpty else {
      throw PipelineError.commandNotStarted(program: "", why: "the command is empty")
    }
    let log = open(task.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard log >= 0 else {
      throw PipelineError.unreadable(path: task.log, why: ChildProcess.text(errno))
    }
    defer { close(log) }
    let variables = environment.merging(task.environment) { _, own in own }
    var invocation = Invocation(
      words: command.directWords(of: words) ?? words,
      environment: variables.map { "\($0.key)=\($0.value)" }, directory: command.directory,
      log: log)
    let status: ChildProcess.Status
    do {
      status = try await ChildProcess.run(invocation, guardian: try guardianOfAll())
    } catch PipelineError.commandNotStarted where invocation.words != words {
      // A word of the shell's own, or a program that is not there: that is the shell's to say.
      invocation.words = words
      status = try await ChildProcess.run(invocation, guardian: try guardianOfAll())
    }
    try Task.checkCancellation()
    switch status {
    case .exited(0): break
    case .exited(let code): throw PipelineError.commandExited(code: code)
    case .signaled(let signal): throw PipelineError.commandKilled(signal: signal)
    }
    let missing = command.outputs.filter { !Files.exists("\(task.output)/\($0)") }
    guard missing.isEmpty else { throw PipelineError.outputsMissing(paths: missing) }
    return StageOutcome(metrics: Self.metrics(in: task.output))
  }

  private func guardianOfAll() throws -> ProcessGuard {
    try guardian.withLock { guardian in
      if let guardian { return guardian }
      let made = try ProcessGuard()
      guardian = made
      return made
    }
  }

  /// Programs run elsewhere than this process.
  private func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : "\(workingDirectory)/\(path)"
  }

  /// The numbers of `metrics.json`; none where it is something else.
  private static func metrics(in folder: String) -> JSONValue {
    let path = "\(folder)/\(metricsName)"
    guard Files.exists(path), let bytes = try? Files.read(path, limit: metricsLimit),
      let value = try? JSONValue(parsing: bytes), case .object? = numbers(of: value)
    else { return .object([:]) }
    return numbers(of: value) ?? .object([:])
  }

  private static func numbers(of value: JSONValue) -> JSONValue? {
    switch value {
    case .int, .double: value
    case .object(let members): .object(members.compactMapValues(numbers))
    case .null, .bool, .string, .array: nil
    }
  }

  private static func currentDirectory() -> String {
    guard let path = getcwd(nil, 0) else { return "." }
    defer { free(path) }
    return String(cString: path)
  }

  private static func currentEnvironment() -> [String: String] {
    var variables: [String: String] = [:]
    guard var entry = shiftwork_environment() else { return variables }
    while let text = entry.pointee {
      let parts = String(cString: text).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
      entry += 1
    }
    return variables
  }
}

extension Command {
  /// The program and its arguments, with paths for the holes.
  func words(inputs: [String: String], output: String) -> [String] {
    words.map { pieces in
      pieces.map { piece in
        switch piece {
        case .text(let text): text
        case .input(let role): spelled(inputs[role] ?? "")
        case .output: spelled(output)
        }
      }.joined()
    }
  }

  /// The words of a shell's text that holds nothing but words, as the shell would pass them on: it
  /// need not be started. Nil for other texts.
  func directWords(of words: [String]) -> [String]? {
    guard quotesPaths, words.count == 3, words[0] == "/bin/sh", words[1] == "-c",
      words[2].utf8.allSatisfy({ byte in
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
          || " /._-+=@%,:".utf8.contains(byte)
      })
    else { return nil }
    let parts = words[2].split(separator: " ").map(String.init)
    // Programs of these names do not do just what the shell does by itself.
    guard let first = parts.first, !first.contains("="),
      !["echo", "printf", "test", "kill", "pwd"].contains(first)
    else { return nil }
    return parts
  }

  /// In single quotes where a shell would see more than one plain word.
  private func spelled(_ path: String) -> String {
    guard quotesPaths else { return path }
    let isPlain =
      !path.isEmpty
      && path.utf8.allSatisfy { byte in
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
          || "/._-+=@%,:".utf8.contains(byte)
      }
    guard !isPlain else { return path }
    let parts = path.split(separator: "'", omittingEmptySubsequences: false)
    return "'" + parts.joined(separator: "'\\''") + "'"
  }
}

/// Hands a stage to who can run it: programs are started, all else is the worker's.
package struct StageDispatcher: StageRunner {
  private let commands = CommandRunner()
  private let worker: (any StageRunner)?

  /// `worker` may be nil where every stage is a program.
  package init(worker: (any StageRunner)?) { self.worker = worker }

  package func run(
    _ task: StageTask, report: @escaping @Sendable (StageEvent) -> Void
  ) async throws -> StageOutcome {
    if task.command != nil { return try await commands.run(task, report: report) }
    guard let worker else { preconditionFailure("a stage that no runner is for") }
    return try await worker.run(task, report: report)
  }
}
