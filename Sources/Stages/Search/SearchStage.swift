//! The search stage: batches of trials from the tuner, and the best one's network. Knows neither
//! processes nor how a trial trains.

import Experiments
import Files
import Networks
package import Pipeline
import Search

extension StageContext {
  /// - Parameter runner: starts a trial; each is a process of its own.
  package func search(runner: any StageRunner) async throws {
    try await SearchRun(self, runner: runner).run()
  }
}

/// One search from its first trial to its tables.
private struct SearchRun: Sendable {
  let context: StageContext
  let fields: SearchStageFields
  let network: Network
  let space: SearchSpace
  let scorer: TrialScorer
  let rule: MedianRule?
  let inputs: [String: InputReference]
  let pool: TrialPool
  let progress: SearchProgress

  init(_ context: StageContext, runner: any StageRunner) throws {
    self.context = context
    fields = try context.fields(SearchStageFields.self)
    network = try fields.network.network()
    // What no trial could read shall end the search, not every trial of it.
    _ = try ModelArtifact(folder: context.input(InputRole.model), for: network)
    space = SearchSpace(fields.search.choices)
    scorer = TrialScorer(
      network: network, factor: ForgivingFactor(fields.search.goal),
      energy: fields.search.goal.energy, metric: try fields.training.trialMetric)
    let epochs = fields.training.epochs
    rule = fields.search.stopping.map { MedianRule(fields: $0, epochs: epochs) }
    let store = try Store(root: context.task.store)
    inputs = try Self.inputs(of: context, in: store)
    let threads = fields.numerics.threads
    let task = context.task
    let progress = SearchProgress(trials: fields.search.trials, say: context.say)
    self.progress = progress
    pool = TrialPool(
      task: task, store: store, runner: runner,
      processes: min(fields.search.batch, task.jobs, max(1, task.cores / threads)),
      environment: fields.numerics.environment, report: { progress.note($1, of: $0) })
  }

  func run() async throws {
    var tuner = space.tuner(
      fields.search, seed: fields.seed, epochs: fields.training.epochs
    ) { scorer.deltas(in: space) }
    var trials: [SearchTrial] = []
    var shortened: [Digest: TrialPool.Trial] = [:]
    var failuresInARow = 0
    while trials.count < fields.search.trials {
      // The batch is the key's: what a tuner knows of when must not hang on how many run at once.
      let proposals = tuner.propose(min(fields.search.batch, fields.search.trials - trials.count))
      if proposals.isEmpty { break }
      let asked = try proposals.enumerated().map { offset, proposal in
        try trial(trials.count + offset, proposal, after: trials)
      }
      for trial in asked where trial.isContinued { shortened[trial.checkpoint] = trial }
      let batch = try await run(asked, proposals, after: trials)
      tuner.tell(
        zip(proposals, batch).map { proposal, trial in
          FinishedTrial(proposal, score: trial.failure == nil ? trial.score : nil)
        })
      for trial in batch {
        failuresInARow = trial.failure == nil ? 0 : failuresInARow + 1
        trials.append(trial)
        if let failure = trial.failure, failuresInARow >= fields.search.maxConsecutiveFailedTrials {
          throw SearchError.tooManyFailures(failuresInARow, last: failure, log: trial.log ?? "")
        }
      }
    }
    try finish(trials)
    for trial in shortened.values { pool.removeCheckpoint(of: trial) }
  }

  /// What the pool is to run for a proposal.
  private func trial(
    _ number: Int, _ proposal: Proposal, after trials: [SearchTrial]
  ) throws -> TrialPool.Trial {
    let quantizers = space.quantizers(proposal.selection)
    let floor = rule?.floor(
      delta: scorer.delta(of: scorer.cost(under: quantizers)), after: trials)
    return try TrialPool.Trial(
      number: number,
      TrialFields(fields, quantizers: quantizers, epochs: proposal.epochs, floor: floor),
      inputs: inputs, epochs: fields.training.epochs)
  }

  /// A batch, in the tuner's order.
  private func run(
    _ asked: [TrialPool.Trial], _ proposals: [Proposal], after trials: [SearchTrial]
  ) async throws -> [SearchTrial] {
    func scored(_ index: Int, _ outcome: TrialPool.Outcome) -> SearchTrial {
      scorer.trial(
        asked[index].number, key: asked[index].key,
        quantizers: space.quantizers(proposals[index].selection), outcome)
    }
    var ended: [SearchTrial] = []
    let outcomes = try await pool.run(asked) { index, outcome in
      let trial = scored(index, outcome)
      progress.finish(trial)
      ended.append(trial)
      keep(trials + ended.sorted { $0.number < $1.number })
    }
    return outcomes.enumerated().map { scored($0, $1) }
  }

  private func tables(_ trials: [SearchTrial]) -> TrialTables {
    TrialTables(trials: trials, space: space, metric: scorer.metric)
  }

  /// The table so far is the search's checkpoint: for those who look, as trials are found again by
  /// their keys.
  private func keep(_ trials: [SearchTrial]) {
    let folder = context.task.checkpoint
    do {
      try Files.createDirectories(folder)
      try Files.writeAtomically(tables(trials).trialsTable, to: folder + "/trials.csv")
    } catch {
      context.note("the trials so far were not written: \(error)")
    }
  }

  private func finish(_ trials: [SearchTrial]) throws {
    // The first of the best, so that a tie does not depend on how many follow.
    let finished = trials.filter { $0.failure == nil }
    guard
      let best = finished.max(by: {
        $0.score < $1.score || $0.score == $1.score && $0.number > $1.number
      }), let artifact = best.artifact
    else { throw SearchError.noTrial(failed: trials.count) }
    let tables = tables(trials)
    try Files.writeAtomically(tables.trialsTable, to: context.output("trials.csv"))
    try Files.writeAtomically(tables.paretoTable, to: context.output("pareto.csv"))
    let figures = TrialFigures(trials: finished, best: best, metric: scorer.metric)
    for (name, text) in figures.files {
      try Files.writeAtomically(text, to: context.output(name))
    }
    var result = try ModelArtifact(folder: pool.store.path(of: artifact), for: network)
    result.quantizers = best.quantizers
    try result.write(
      to: context.task.output, for: network, factor: scorer.energy == nil ? scorer.factor : nil)
    try context.finish(with: metrics(trials, best))
  }

  private func metrics(_ trials: [SearchTrial], _ best: SearchTrial) -> [String: JSONValue] {
    var metrics = best.cost.bits.metrics
    metrics["trials"] = .int(trials.count)
    metrics["failed_trials"] = .int(trials.count { $0.state == .failed })
    metrics["stopped_trials"] = .int(trials.count { $0.state == .stopped })
    metrics["best_trial"] = .int(best.number)
    metrics[scorer.metric] = .double(best.metric)
    metrics["delta"] = .double(best.delta)
    metrics["score"] = .double(best.score)
    metrics["reference_bits"] = .int(scorer.reference.bits.totalBits)
    metrics["picojoules"] = best.cost.energy.map { .double($0.picojoules) }
    metrics["reference_picojoules"] = scorer.reference.energy.map { .double($0.picojoules) }
    return metrics
  }

  private static func inputs(
    of context: StageContext, in store: Store
  ) throws -> [String: InputReference] {
    var inputs: [String: InputReference] = [:]
    for (role, path) in context.task.inputs {
      if InputRole.isArtifact(role) {
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        guard let digest = Digest(hex: name) else {
          throw StageError.wrongTask("\(path) is no artifact of the store")
        }
        inputs[role] = .artifact(digest)
      } else if let digest = try store.digest(ofSource: path) {
        inputs[role] = .file(digest)
      }
    }
    return inputs
  }
}

/// A search that came to nothing.
enum SearchError: Error, CustomStringConvertible {
  case tooManyFailures(Int, last: String, log: String)
  case noTrial(failed: Int)

  var description: String {
    switch self {
    case .tooManyFailures(let count, let last, let log):
      "\(count) trials failed in a row (search.max_consecutive_failed_trials), the last one with: "
        + "\(last); its log is \(log)"
    case .noTrial(let failed): "none of \(failed) trials came to its end"
    }
  }
}
