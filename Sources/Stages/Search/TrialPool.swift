//! Trials in processes of their own, several at once, each kept by the store under its key. Knows no
//! tuner and no score.

import Experiments
import Files
import Networks
import Pipeline

/// Runs the trials of one search.
struct TrialPool: Sendable {
  /// What became of a trial.
  enum Outcome: Sendable {
    /// Found or made; the record's metrics hold the metric.
    case finished(Record)
    case failed(message: String, log: String)
  }

  /// Of a task's unkeyed part: a longer trial goes on from this one's checkpoint.
  static let continued = "continued"

  /// One trial to run.
  struct Trial: Sendable {
    var number: Int
    var manifest: Manifest
    var fields: JSONValue
    var key: Digest
    /// Names the checkpoint, which all rounds of a selection share: it is the longest one's key. What
    /// an epoch draws at random hangs on its number alone, so a trial that goes on where a shorter
    /// one stood comes to the same bytes as one that does all its epochs itself.
    var checkpoint: Digest
    var isContinued: Bool { checkpoint != key }

    /// - Parameter epochs: of the longest trial.
    init(
      number: Int, _ fields: TrialFields, inputs: [String: InputReference], epochs: Int
    ) throws {
      self.number = number
      manifest = try fields.manifest(inputs: inputs)
      self.fields = manifest.fields
      key = manifest.digest
      var longest = fields
      longest.training.epochs = epochs
      checkpoint = try longest.manifest(inputs: inputs).digest
    }
  }

  let task: StageTask
  let store: Store
  let runner: any StageRunner
  /// At once.
  let processes: Int
  let environment: [String: String]
  /// Called from several threads.
  let report: @Sendable (_ trial: Int, StageEvent.Progress) -> Void

  /// Brings all `trials` to their end, in whatever order; the outcomes stand in theirs.
  ///
  /// - Parameter finished: is called as each of them ends.
  func run(
    _ trials: [Trial], finished: (_ index: Int, Outcome) -> Void
  ) async throws -> [Outcome] {
    try await withThrowingTaskGroup(of: (Int, Outcome).self) { group in
      var outcomes = [Outcome?](repeating: nil, count: trials.count)
      var next = 0
      func start() {
        guard next < trials.count else { return }
        let (index, trial) = (next, trials[next])
        group.addTask { (index, try await run(trial)) }
        next += 1
      }
      for _ in 0..<max(1, processes) { start() }
      while let (index, outcome) = try await group.next() {
        outcomes[index] = outcome
        start()
        finished(index, outcome)
      }
      return outcomes.compactMap { $0 }
    }
  }

  /// The key's record: an earlier search's, or another one's that computes it just now, or our own.
  private func run(_ trial: Trial) async throws -> Outcome {
    while true {
      try store.refresh()
      if let record = store.record(for: trial.key) { return .finished(record) }
      if let lock = try store.tryLock(trial.key) {
        defer { lock.release() }
        // Its last holder may have finished it between our look and our lock.
        try store.refresh()
        if let record = store.record(for: trial.key) { return .finished(record) }
        return try await compute(trial)
      }
      try await Task.sleep(for: .milliseconds(100))
    }
  }

  private func compute(_ trial: Trial) async throws -> Outcome {
    let log = store.logPath(for: trial.key)
    try Files.writeAtomically([UInt8](), to: log)
    let output = try store.temporaryDirectory()
    defer { if Files.exists(output) { try? Files.remove(output) } }
    let name = "\(task.name)/trial_\(trial.number)"
    let checkpoint = store.checkpointPath(for: trial.checkpoint)
    let own = StageTask(
      name: name, kind: TrialFields.kind, version: TrialFields.version, fields: trial.fields,
      inputs: task.inputs, output: output, checkpoint: checkpoint, store: store.root,
      unkeyed: trial.isContinued
        ? task.unkeyed.merging([Self.continued: .bool(true)]) : task.unkeyed,
      log: log, environment: environment)
    let clock = ContinuousClock()
    let start = clock.now
    do {
      let outcome = try await runner.run(own) { event in
        if case .progress(let progress) = event { report(trial.number, progress) }
      }
      let record = try store.publish(
        directory: output, keys: [trial.key], manifest: trial.manifest, metrics: outcome.metrics,
        seconds: (clock.now - start) / .seconds(1), name: name)
      if !trial.isContinued { removeCheckpoint(of: trial) }
      return .finished(record)
    } catch let error as PipelineError {
      return .failed(message: "\(error)", log: log)
    }
  }

  /// Gives up what longer trials of a selection might have gone on from.
  func removeCheckpoint(of trial: Trial) {
    let path = store.checkpointPath(for: trial.checkpoint)
    if Files.exists(path) { try? Files.remove(path) }
  }
}

extension JSONValue {
  /// An object with further members; anything else becomes one.
  fileprivate func merging(_ more: [String: JSONValue]) -> JSONValue {
    guard case .object(let members) = self else { return .object(more) }
    return .object(members.merging(more) { $1 })
  }
}
