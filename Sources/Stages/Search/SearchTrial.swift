//! A finished or failed trial and what it is worth. Knows not how it was run.

import Files
import Networks
import Pipeline

/// One trial as the search's tables have it.
struct SearchTrial: Sendable {
  var number: Int
  var key: Digest
  var quantizers: QuantizerMap
  /// 0 where the trial failed.
  var metric: Double
  var cost: BitCost
  var delta: Double
  var score: Double
  var artifact: Digest?
  /// Why there is no metric.
  var failure: String?
  /// Of a failed trial.
  var log: String?
}

/// Turns outcomes into scores.
struct TrialScorer: Sendable {
  let network: Network
  let factor: ForgivingFactor
  /// Of a trial's record.
  let metric: String
  let reference: BitCost

  init(network: Network, factor: ForgivingFactor, metric: String) {
    self.network = network
    self.factor = factor
    self.metric = metric
    reference = BitCost.reference(of: network)
  }

  func trial(
    _ number: Int, key: Digest, quantizers: QuantizerMap, _ outcome: TrialPool.Outcome
  ) -> SearchTrial {
    let cost = BitCost(of: network, under: quantizers)
    let delta = factor.delta(reference: reference, trial: cost)
    var trial = SearchTrial(
      number: number, key: key, quantizers: quantizers, metric: 0, cost: cost, delta: delta,
      score: 0)
    switch outcome {
    case .finished(let record):
      switch record.metrics[metric] {
      case .double(let value): trial.metric = value
      case .int(let value): trial.metric = Double(value)
      default: break
      }
      trial.score = factor.score(metric: trial.metric, reference: reference, trial: cost)
      trial.artifact = record.artifact
    case .failed(let message, let log):
      trial.failure = message
      trial.log = log
    }
    return trial
  }
}
