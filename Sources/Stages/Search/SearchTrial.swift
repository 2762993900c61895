//! A finished or failed trial and what it is worth. Knows not how it was run.

import Files
import Networks
import Pipeline
import Search

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

  /// What a selection's cost adds to its metric, as a share of it.
  func deltas(in space: SearchSpace) -> @Sendable ([Int]) -> Double {
    // Bits are a sum over slots: each candidate's part, by choice, on top of the first candidates'.
    let first = [Int](repeating: 0, count: space.choices.count)
    let base = BitCost(of: network, under: space.quantizers(first))
    let parts = space.choices.enumerated().map { index, choice in
      choice.candidates.indices.map { candidate in
        var selection = first
        selection[index] = candidate
        return BitCost(of: network, under: space.quantizers(selection)).totalBits - base.totalBits
      }
    }
    return { [factor, reference] selection in
      var cost = base
      for (part, candidate) in zip(parts, selection) { cost.parameterBits += part[candidate] }
      return factor.delta(reference: reference, trial: cost)
    }
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
