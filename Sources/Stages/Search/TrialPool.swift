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

  /// One trial to run.
  struct Trial: Sendable {
    var number: Int
    var manifest: Manifest
    var fields: JSONValue
    var key: Digest

    init(number: Int, _ fields: TrialFields, inputs: [String: InputReference]) throws {
      self.number = number
      manifest = try fields.manifest(inputs: inputs)
      self.fields = manifest.fields
      key = manifest.digest
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
  func run(_ trials: [Trial]) async throws -> [Outcome] {
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
    let checkpoint = store.checkpointPath(for: trial.key)
    let own = StageTask(
      name: name, kind: TrialFields.kind, version: TrialFields.version, fields: trial.fields,
      inputs: task.inputs, output: output, checkpoint: checkpoint, store: store.root,
      unkeyed: task.unkeyed, log: log, environment: environment)
    let clock = ContinuousClock()
    let start = clock.now
    do {
      let outcome = try await runner.run(own) { event in
        if case .progress(let progress) = event { report(trial.number, progress) }
      }
      let record = try store.publish(
        directory: output, keys: [trial.key], manifest: trial.manifest, metrics: outcome.metrics,
        seconds: (clock.now - start) / .seconds(1), name: name)
      if Files.exists(checkpoint) { try? Files.remove(checkpoint) }
      return .finished(record)
    } catch let error as PipelineError {
      return .failed(message: "\(error)", log: log)
    }
  }
}
