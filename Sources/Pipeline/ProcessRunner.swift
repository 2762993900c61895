//! Runs a stage in a process of its own: `shiftwork-worker TASK.json`. Knows no stage's work.

import Files
import Glibc
import Subprocess
import SystemPackage

/// Starts the worker, reads its events, keeps its log, and ends it when the run is cancelled.
///
/// The worker's standard input is a pipe that this process holds open and never writes to. It closes
/// with this process, however that ends, and a worker that is asked to (`inputVariable`) ends with it.
package struct ProcessRunner: StageRunner {
  /// Set for the worker: it is to end when its standard input does.
  package static let inputVariable = "SHIFTWORK_END_WITH_INPUT"
  private static let lineLimit = 1 << 20
  /// From SIGTERM to SIGKILL.
  private static let patience = Duration.seconds(2)

  private let worker: String

  /// - Parameter worker: the path of the program.
  package init(worker: String) { self.worker = worker }

  /// The `shiftwork-worker` that stands beside the running program.
  package static func beside() throws -> ProcessRunner {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = buffer.withUnsafeMutableBytes { bytes in
      bytes.bindMemory(to: CChar.self).baseAddress.map {
        readlink("/proc/self/exe", $0, bytes.count)
      } ?? 0
    }
    let program = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    let folder = program.lastIndex(of: "/").map { String(program[..<$0]) } ?? "."
    let worker = folder + "/shiftwork-worker"
    guard access(worker, X_OK) == 0 else {
      throw PipelineError.workerNotStarted(
        path: worker, why: "it is not there: build the whole package")
    }
    return ProcessRunner(worker: worker)
  }

  package func run(
    _ task: StageTask, report: @escaping @Sendable (StageEvent) -> Void
  ) async throws -> StageOutcome {
    let taskFile = task.output + ".task.json"
    try Files.writeAtomically(try JSONValue(encoding: task).prettyText, to: taskFile)
    defer { unlink(taskFile) }
    let log = try FileDescriptor.open(
      FilePath(task.log), .writeOnly, options: [.create, .append, .closeOnExec],
      permissions: [.ownerReadWrite, .groupRead, .otherRead])
    defer { try? log.close() }
    let said = try await start(task, taskFile: taskFile, log: log, report: report)
    try Task.checkCancellation()
    switch said.status {
    case .exited(0): return StageOutcome(metrics: said.metrics)
    case .exited(let code):
      if let failure = said.failure { throw PipelineError.stageFailed(message: failure) }
      throw PipelineError.workerExited(code: Int(code))
    case .signaled(let signal): throw PipelineError.workerKilled(signal: Int(signal))
    }
  }

  /// What the worker said in all.
  private struct Said {
    var metrics: JSONValue = .object([:])
    var failure: String?
    var status: TerminationStatus = .exited(0)
  }

  private func start(
    _ task: StageTask, taskFile: String, log: FileDescriptor,
    report: @escaping @Sendable (StageEvent) -> Void
  ) async throws -> Said {
    var options = PlatformOptions()
    // A group of its own: Ctrl-C reaches this process, which then ends the worker in order.
    options.processGroupID = 0
    options.teardownSequence = [
      .gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: Self.patience)
    ]
    var variables: [Environment.Key: String?] = [
      Environment.Key(stringLiteral: Self.inputVariable): "1"
    ]
    for (name, value) in task.environment {
      variables[Environment.Key(stringLiteral: name)] = value
    }
    do {
      let result = try await Subprocess.run(
        .path(FilePath(worker)), arguments: [taskFile],
        environment: .inherit.updating(variables), platformOptions: options, input: .inputWriter,
        output: .sequence, error: .fileDescriptor(log, closeAfterSpawningProcess: false)
      ) { execution in
        try await Self.listen(to: execution.standardOutput, log: log, report: report)
      }
      var said = result.closureResult
      said.status = result.terminationStatus
      return said
    } catch let error as SubprocessError {
      try Task.checkCancellation()
      throw PipelineError.workerNotStarted(path: worker, why: "\(error)")
    }
  }

  /// Takes events to the caller and all other lines, which libraries print, to the log.
  private static func listen(
    to output: SubprocessOutputSequence, log: FileDescriptor,
    report: @Sendable (StageEvent) -> Void
  ) async throws -> Said {
    var said = Said()
    var line: [UInt8] = []
    func finishLine() throws {
      defer { line.removeAll(keepingCapacity: true) }
      guard let event = StageEvent(line: line) else {
        if !line.isEmpty { try log.writeAll(line + [UInt8(ascii: "\n")]) }
        return
      }
      switch event {
      case .metrics(let metrics): said.metrics = metrics
      case .failure(let message): said.failure = message
      case .progress: break
      }
      report(event)
    }
    for try await buffer in output {
      for byte in buffer.withUnsafeBytes({ Array($0) }) {
        if byte == UInt8(ascii: "\n") {
          try finishLine()
        } else if line.count < lineLimit {
          line.append(byte)
        } else {
          throw PipelineError.workerLineTooLong(limit: lineLimit)
        }
      }
    }
    try finishLine()
    return said
  }
}
