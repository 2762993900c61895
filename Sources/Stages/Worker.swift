//! The worker's main: one task file in, one filled folder out, events on standard output.

import Catalogue
import Datasets
import Experiments
import Files
import Glibc
package import Pipeline

/// Runs stages by their kind.
package enum Worker {
  /// Runs the stage of a task; its files stand in `task.output` when it returns.
  package static func run(_ task: StageTask, say: @escaping @Sendable (StageEvent) -> Void) throws {
    if let chore = Chore(rawValue: task.kind) {
      try StageContext(task, say: say).run(chore)
      return
    }
    if task.kind == TrialFields.kind {
      try check(task, isFor: TrialFields.version)
      try StageContext(task, say: say).trial()
      return
    }
    guard let kind = StageKind(rawValue: task.kind) else {
      throw StageError.wrongTask("no stage is of kind \(task.kind)")
    }
    try check(task, isFor: kind.version)
    let context = StageContext(task, say: say)
    switch kind {
    case .prepareData: try context.prepareData()
    case .loadPretrained: try context.loadPretrained()
    case .pretrain: try context.pretrain()
    case .quantize: try context.quantize()
    case .search:
      let runner = try ProcessRunner.beside()
      try Blocking.wait { try await context.search(runner: runner) }
    case .switchAlpha: try context.switchAlpha()
    case .fineTune: try context.fineTune()
    case .evaluate: try context.evaluate()
    case .command: throw StageError.wrongTask("a command runs without a worker")
    }
  }

  private static func check(_ task: StageTask, isFor version: Int) throws {
    guard task.version == version else {
      throw StageError.wrongTask(
        "the task is for version \(task.version) of \(task.kind), this worker has \(version): "
          + "shiftwork and shiftwork-worker must come from one build")
    }
  }

  /// `shiftwork-worker TASK.json`. Returns the exit code: 0 done, 1 failed, 2 wrong usage.
  package static func main(_ arguments: [String]) -> Int32 {
    guard arguments.count == 2, arguments[1].first != "-" else {
      complain(
        "usage: shiftwork-worker TASK.json\n\nRuns one stage for shiftwork, which starts it.")
      return arguments.dropFirst().first == "--help" ? 0 : 2
    }
    if getenv(ProcessRunner.inputVariable) != nil { endWithInput() }
    // A limit on files' sizes is then an error of the write, which is reported.
    signal(SIGXFSZ, SIG_IGN)
    do {
      try run(StageTask(path: arguments[1]), say: emit)
      return 0
    } catch {
      emit(.failure(message: "\(error)"))
      complain("error: \(error)")
      return 1
    }
  }

  /// Ends this process when standard input does: then the runner is gone, and nobody would take the
  /// result. What was written so far lies in a temporary folder that the next runner removes.
  private static func endWithInput() {
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { _ in
        var byte: UInt8 = 0
        while true {
          let got = read(STDIN_FILENO, &byte, 1)
          if got == 0 || got < 0 && errno != EINTR { _exit(1) }
        }
      }, nil)
  }

  // Unbuffered: an event must reach the runner when it happens.
  private static func emit(_ event: StageEvent) { put(event.line, to: STDOUT_FILENO) }

  private static func complain(_ message: String) { put(message, to: STDERR_FILENO) }

  private static func put(_ text: String, to descriptor: Int32) {
    let line = Array((text + "\n").utf8)
    _ = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
  }
}
