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
  let inputs: [String: InputReference]
  let pool: TrialPool
  let progress: SearchProgress

  init(_ context: StageContext, runner: any StageRunner) throws {
    self.context = context
    fields = try context.fields(SearchStageFields.self)
    network = try fields.network.network()
    // What no trial could read shall end the search, not every trial of it.
    _ = try ModelArtifact(folder: context.input(InputRole.model), for: network)
    space = SearchSpace(
      fields.search.choices.map { choice in
        let role: Slot.Role =
          switch choice.role {
          case .kernel: .kernel
          case .bias: .bias
          case .activation: .activation
          }
        return SearchSpace.Choice(role: role, slots: choice.slots, candidates: choice.candidates)
      })
    scorer = TrialScorer(
      network: network, factor: ForgivingFactor(fields.search.goal),
      metric: try fields.training.trialMetric)
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
    var tuner = tuner
    var trials: [SearchTrial] = []
    var failuresInARow = 0
    while trials.count < fields.search.trials {
      // The batch is the key's: what a tuner knows of when must not hang on how many run at once.
      let proposals = tuner.propose(min(fields.search.batch, fields.search.trials - trials.count))
      if proposals.isEmpty { break }
      let batch = try await run(proposals.map(\.selection), from: trials.count)
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
  }

  private var tuner: any Tuner {
    let cardinalities = space.choices.map(\.candidates.count)
    let seed = UInt64(bitPattern: Int64(fields.seed))
    return switch fields.search.tuner {
    case .random: RandomTuner(cardinalities: cardinalities, seed: seed)
    case .bayesian:
      BayesianTuner(
        cardinalities: cardinalities, seed: seed, initialTrials: fields.search.initialTrials)
    case .additive:
      AdditiveTuner(
        cardinalities: cardinalities, seed: seed, delta: scorer.deltas(in: space))
    }
  }

  /// A batch, in the tuner's order.
  private func run(_ selections: [[Int]], from first: Int) async throws -> [SearchTrial] {
    let maps = selections.map { space.quantizers($0) }
    let trials = try maps.enumerated().map { offset, quantizers in
      try TrialPool.Trial(
        number: first + offset, TrialFields(fields, quantizers: quantizers), inputs: inputs)
    }
    let outcomes = try await pool.run(trials)
    return zip(trials, zip(maps, outcomes)).map { trial, result in
      let scored = scorer.trial(trial.number, key: trial.key, quantizers: result.0, result.1)
      progress.finish(scored)
      return scored
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
    let tables = TrialTables(trials: trials, space: space, metric: scorer.metric)
    try Files.writeAtomically(tables.trialsTable, to: context.output("trials.csv"))
    try Files.writeAtomically(tables.paretoTable, to: context.output("pareto.csv"))
    var result = try ModelArtifact(folder: pool.store.path(of: artifact), for: network)
    result.quantizers = best.quantizers
    try result.write(to: context.task.output, for: network, factor: scorer.factor)
    var metrics = best.cost.metrics
    metrics["trials"] = .int(trials.count)
    metrics["failed_trials"] = .int(trials.count - finished.count)
    metrics["best_trial"] = .int(best.number)
    metrics[scorer.metric] = .double(best.metric)
    metrics["delta"] = .double(best.delta)
    metrics["score"] = .double(best.score)
    metrics["reference_bits"] = .int(scorer.reference.totalBits)
    try context.finish(with: metrics)
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

extension ForgivingFactor {
  init(_ goal: GoalFields) {
    self.init(deltaP: goal.deltaP, deltaN: goal.deltaN, rate: goal.rate, stress: goal.stress)
  }
}
