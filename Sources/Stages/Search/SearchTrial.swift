//! A finished, stopped or failed trial and what it is worth. Knows not how it was run.

import Files
import Networks
import Pipeline
import Search

/// One trial as the search's tables have it.
struct SearchTrial: Sendable {
  enum State: String, Sendable {
    case done
    /// It was hopeless after some of its epochs.
    case stopped
    case failed
  }

  var number: Int
  var key: Digest
  var quantizers: QuantizerMap
  /// Of its best epoch; 0 where the trial failed.
  var metric: Double
  /// The metric of each epoch; empty where it could not be trained.
  var byEpoch: [Double] = []
  var cost: TrialCost
  var delta: Double
  var score: Double
  var artifact: Digest?
  var isStopped = false
  /// Why there is no metric.
  var failure: String?
  /// Of a failed trial.
  var log: String?

  var state: State { failure != nil ? .failed : isStopped ? .stopped : .done }
}

/// What a network costs under its quantizers.
struct TrialCost: Hashable, Sendable {
  var bits: BitCost
  /// Of one inference; nil where the goal does not ask for it.
  var energy: EnergyCost?

  /// What the goal counts: bits, or picojoules.
  var size: Double { energy?.picojoules ?? Double(bits.totalBits) }
}

/// Turns outcomes into scores.
struct TrialScorer: Sendable {
  let network: Network
  let factor: ForgivingFactor
  /// Nil: the goal is bits.
  let energy: EnergyTable?
  /// Of a trial's record.
  let metric: String
  let reference: TrialCost

  init(network: Network, factor: ForgivingFactor, energy: EnergyTable?, metric: String) {
    self.network = network
    self.factor = factor
    self.energy = energy
    self.metric = metric
    reference = TrialCost(
      bits: .reference(of: network),
      energy: energy.map { .reference(of: network, table: $0) })
  }

  func cost(under map: QuantizerMap) -> TrialCost {
    TrialCost(
      bits: BitCost(of: network, under: map),
      energy: energy.map { EnergyCost(of: network, under: map, table: $0) })
  }

  /// The share by which the factor raises or lowers a metric.
  func delta(of cost: TrialCost) -> Double {
    if let energy = cost.energy, let reference = reference.energy {
      return factor.delta(reference: reference, trial: energy)
    }
    return factor.delta(reference: reference.bits, trial: cost.bits)
  }

  /// What a selection's cost adds to its metric, as a share of it.
  func deltas(in space: SearchSpace) -> @Sendable ([Int]) -> Double {
    // The energy of a product depends on both of its factors' slots.
    if energy != nil { return { self.delta(of: self.cost(under: space.quantizers($0))) } }
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
    return { selection in
      var cost = base
      for (part, candidate) in zip(parts, selection) { cost.parameterBits += part[candidate] }
      return self.delta(of: TrialCost(bits: cost))
    }
  }

  func trial(
    _ number: Int, key: Digest, quantizers: QuantizerMap, _ outcome: TrialPool.Outcome
  ) -> SearchTrial {
    let cost = cost(under: quantizers)
    let delta = delta(of: cost)
    var trial = SearchTrial(
      number: number, key: key, quantizers: quantizers, metric: 0, cost: cost, delta: delta,
      score: 0)
    switch outcome {
    case .finished(let record):
      let metrics = record.metrics
      trial.metric = metrics[metric]?.number ?? 0
      if case .array(let epochs)? = metrics[TrialMetrics.byEpoch] {
        // A NaN is a word in JSON, and no epoch's merit.
        trial.byEpoch = epochs.map { $0.number ?? 0 }
      }
      trial.isStopped = metrics[TrialMetrics.stopped] == .bool(true)
      trial.score = ForgivingFactor.score(metric: trial.metric, delta: delta)
      trial.artifact = record.artifact
    case .failed(let message, let log):
      trial.failure = message
      trial.log = log
    }
    return trial
  }
}

/// Names in a trial's record besides its metrics.
enum TrialMetrics {
  static let byEpoch = "by_epoch"
  static let stopped = "stopped"
}

extension JSONValue {
  fileprivate var number: Double? {
    switch self {
    case .double(let value): value
    case .int(let value): Double(value)
    default: nil
    }
  }
}
