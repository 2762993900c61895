//! One attempt at one stage, from its lock to its record; knows nothing of the other stages.

import Files
import Synchronization

/// How an attempt ended.
struct Attempt: Sendable {
  enum Outcome: Sendable {
    /// Another process had finished it meanwhile.
    case found(Record)
    case ran(Record, isUnlikeBefore: Bool)
    case failed(StageFailure)
    case interrupted
    /// Who held the key let go of it.
    case lockIsFree
  }

  var index: Int
  var key: Digest
  var heldLock: Bool
  var outcome: Outcome
}

/// A decision of the scheduler that its jobs can see.
final class StopFlag: Sendable {
  private let flag = Atomic(false)

  var isSet: Bool { flag.load(ordering: .acquiring) }

  func set() { flag.store(true, ordering: .releasing) }
}

/// Everything that one attempt needs.
struct Job: Sendable {
  let index: Int
  let stage: Stage
  let manifest: Manifest
  let keys: [Digest]
  let key: Digest
  let isForced: Bool
  let retries: Int
  let inputs: [String: String]
  /// Nil when another process has the key: then the job is to wait for it.
  let lock: HeldLock?
  let store: Store
  let runner: any StageRunner
  /// What the stage has of the machine, and processes that it may have at once.
  let cores: Int
  let jobs: Int
  /// Set when the run starts nothing more: then waiting for another process is pointless.
  let stop: StopFlag
  let report: @Sendable (SchedulerEvent.State) -> Void

  private static let tailLimit = 20

  func perform() async -> Attempt {
    let outcome: Attempt.Outcome
    var log: String?
    do {
      if lock == nil {
        try await waitForLock()
        outcome = .lockIsFree
      } else {
        outcome = try await run(log: &log)
      }
    } catch is CancellationError {
      outcome = .interrupted
    } catch {
      outcome = Task.isCancelled ? .interrupted : .failed(failure(error, log: log))
    }
    lock?.release()
    return Attempt(index: index, key: key, heldLock: lock != nil, outcome: outcome)
  }

  private func run(log: inout String?) async throws -> Attempt.Outcome {
    if !isForced, case .usable(let record) = try store.lookup(key, refreshing: true) {
      return .found(record)
    }
    try Task.checkCancellation()
    let path = store.logPath(for: key)
    try Files.empty(path)
    log = path
    // Forced means from the beginning.
    let checkpoint = store.checkpointPath(for: key)
    if isForced, Files.exists(checkpoint) { try Files.remove(checkpoint) }
    report(.running(log: path))
    var attempt = 1
    while true {
      do {
        return try await runOnce(log: path)
      } catch let failure as RunnerFailure {
        guard attempt <= retries, !(failure.cause is CancellationError), !Task.isCancelled else {
          throw failure.cause
        }
        attempt += 1
        report(.retrying(self.failure(failure.cause, log: path), attempt: attempt))
        try Files.append("-- attempt \(attempt) of \(retries + 1) --\n", to: path)
      }
    }
  }

  /// What the runner threw: that may go better another time.
  private struct RunnerFailure: Error {
    var cause: any Error
  }

  private func runOnce(log: String) async throws -> Attempt.Outcome {
    let output = try store.temporaryDirectory()
    defer { if Files.exists(output) { try? Files.remove(output) } }
    let checkpoint = store.checkpointPath(for: key)
    let task = StageTask(
      name: stage.name, kind: stage.kind, version: stage.version, fields: stage.fields,
      inputs: inputs, output: output, checkpoint: checkpoint, store: store.root,
      unkeyed: stage.unkeyed, log: log, environment: stage.environment, command: stage.command,
      cores: cores, jobs: jobs)
    let clock = ContinuousClock()
    let start = clock.now
    let outcome: StageOutcome
    do {
      outcome = try await runner.run(task) { event in
        if case .progress(let progress) = event { report(.progress(progress)) }
      }
    } catch {
      throw RunnerFailure(cause: error)
    }
    let seconds = (clock.now - start) / .seconds(1)
    try checkSources()
    let before = store.artifact(for: key)
    let record = try store.publish(
      directory: output, keys: keys, manifest: manifest, metrics: outcome.metrics,
      seconds: seconds, name: stage.name, allowsEmpty: stage.command != nil)
    if Files.exists(checkpoint) { try Files.remove(checkpoint) }
    return .ran(record, isUnlikeBefore: before != nil && before != record.artifact)
  }

  /// A source file that changed since the plan read it: the output belongs to no key.
  private func checkSources() throws {
    for case (let role, .file(let path, _)) in stage.inputs {
      guard let digest = try store.digest(ofSource: path), .file(digest) == manifest.inputs[role]
      else { throw PipelineError.sourceChanged(path: path) }
    }
  }

  /// Looks again and again: waiting in the kernel could not be cancelled.
  private func waitForLock() async throws {
    var pause = Duration.milliseconds(5)
    while !stop.isSet, try !isFree() {
      try await Task.sleep(for: pause)
      pause = min(pause * 2, .milliseconds(100))
    }
    try store.refresh()
  }

  private func isFree() throws -> Bool {
    let lock = try store.tryLock(key)
    lock?.release()
    return lock != nil
  }

  private func failure(_ error: any Error, log: String?) -> StageFailure {
    var failure = StageFailure(stage: stage.name, cause: error)
    failure.location = stage.location
    failure.log = log
    failure.logTail = log.map { LogTail.lines(of: $0, limit: Self.tailLimit) } ?? []
    return failure
  }
}

extension StageFailure {
  init(stage: String, cause: any Error) {
    self.init(stage: stage, location: nil, message: "\(cause)", log: nil, logTail: [])
  }
}
