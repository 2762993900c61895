//! The tuner that learns the metric alone, since the cost is known: Thompson sampling from an
//! additive model. Knows no way to reckon a cost.

import Glibc

/// The score is metric * (1 + delta), and delta is known of every selection before its trial. The
/// metric's logit is learned as a sum over slots (`AdditiveModel`); each trial draws a model from the
/// posterior (Thompson 1933) and takes the selection that is best by it and by the exact delta,
/// climbing slot by slot from the best trial so far.
///
/// Slots that are sensitive keep their bits, others pay for them: what a search of n slots by
/// selections as a whole finds in many times n trials, a sum finds in about n.
package struct AdditiveTuner: Tuner {
  /// Trials before the first model.
  private static let initialTrials = 8
  /// Of the posterior's deviation: Thompson sampling in hundreds of dimensions explores too much.
  private static let spread = 0.4
  /// How far beyond the metrics seen the model believes in lower and higher ones, by their range.
  private static let margin = 0.02
  private static let ridges = (0...6).map { 0.5 * pow(3, Double($0)) }

  private let seed: UInt64
  private let delta: @Sendable ([Int]) -> Double
  private let layout: AdditiveLayout
  /// By slot, its candidates from the dearest to the cheapest: a level is an index into it.
  private let candidates: [[Int]]
  private var pool: SelectionPool
  private var number = 0
  /// Of the trials that ended with a score.
  private var levels: [[Int]] = []
  private var metrics: [Double] = []
  private var best: (levels: [Int], score: Double)?
  private var ridge = ridges[3]
  /// How many trials it takes until the ridge is chosen again.
  private var nextChoice = initialTrials

  /// - Parameter delta: what a selection's cost adds to the metric, as a share of it; above -1.
  package init(
    cardinalities: [Int], seed: UInt64, delta: @escaping @Sendable ([Int]) -> Double
  ) {
    self.seed = seed
    self.delta = delta
    pool = SelectionPool(cardinalities)
    layout = AdditiveLayout(levelCounts: cardinalities)
    candidates = cardinalities.enumerated().map { slot, count in
      var selection = cardinalities.map { _ in 0 }
      let deltas = (0..<count).map { index in
        selection[slot] = index
        return delta(selection)
      }
      return (0..<count).sorted { (deltas[$0], $0) < (deltas[$1], $1) }
    }
  }

  package mutating func tell(_ trials: [FinishedTrial]) {
    for trial in trials {
      let selection = trial.proposal.selection
      number += 1
      pool.insert(selection)
      guard let score = trial.score, score.isFinite else { continue }
      let levels = zip(candidates, selection).map { $0.firstIndex(of: $1) ?? 0 }
      self.levels.append(levels)
      metrics.append(score / (1 + delta(selection)))
      if best.map({ score > $0.score }) ?? true { best = (levels, score) }
      if metrics.count == nextChoice {
        nextChoice += max(8, nextChoice / 4)
        let data = Logits(metrics, margin: Self.margin)
        let models = Self.ridges.compactMap { ridge in
          model(of: data, ridge: ridge).map { (ridge, $0.evidence) }
        }
        ridge = models.max { $0.1 < $1.1 }?.0 ?? ridge
      }
    }
  }

  package mutating func propose(_ count: Int) -> [Proposal] {
    var pool = pool
    var batch: [Proposal] = []
    let data = Logits(metrics, margin: Self.margin)
    let model = number + count > Self.initialTrials ? model(of: data, ridge: ridge) : nil
    while batch.count < count {
      let trial = number + batch.count
      var draws = TrialDraws(seed: seed, trial: trial)
      var levels = first(trial, &draws)
      if trial >= Self.initialTrials, let model, let best {
        levels = climbed(from: best.levels, model.drawn(&draws, spread: Self.spread), data)
      }
      guard let selection = unseen(selection(levels), pool, &draws) else { break }
      pool.insert(selection)
      batch.append(Proposal(selection: selection))
    }
    return batch
  }

  private func model(of data: Logits, ridge: Double) -> AdditiveModel? {
    if metrics.isEmpty { return nil }
    return AdditiveModel(layout, levels, data.values, importance: data.importance, ridge: ridge)
  }

  private func selection(_ levels: [Int]) -> [Int] { zip(candidates, levels).map { $0[$1] } }

  /// Warm starts: all slots at their middle, their dearest, their cheapest candidate; then mixtures,
  /// which between them cover the range from dear to cheap where uniform draws are all alike.
  private func first(_ trial: Int, _ draws: inout TrialDraws) -> [Int] {
    switch trial {
    case 0: return candidates.map { ($0.count - 1) / 2 }
    case 1: return candidates.map { _ in 0 }
    case 2: return candidates.map { $0.count - 1 }
    default:
      let share = 0.7 * draws.uniform()
      return candidates.map { candidates in
        candidates.dropFirst().count { _ in draws.uniform() < share }
      }
    }
  }

  /// The selection with one slot after the other at its best level, until none gets better.
  private func climbed(
    from start: [Int], _ model: (intercept: Double, effects: [[Double]]), _ data: Logits
  ) -> [Int] {
    var levels = start
    var selection = selection(levels)
    var sum = zip(model.effects, levels).reduce(model.intercept) { $0 + $1.0[$1.1] }
    var value = data.metric(logit: sum) * (1 + delta(selection))
    var isClimbing = true
    while isClimbing {
      isClimbing = false
      for (slot, effects) in model.effects.enumerated() {
        let others = sum - effects[levels[slot]]
        for level in effects.indices where level != levels[slot] {
          selection[slot] = candidates[slot][level]
          let changed = data.metric(logit: others + effects[level]) * (1 + delta(selection))
          // By more than rounding, or it might go round for ever.
          if changed > value + 1e-12 * value.magnitude {
            value = changed
            levels[slot] = level
            sum = others + effects[level]
            isClimbing = true
          }
        }
        selection[slot] = candidates[slot][levels[slot]]
      }
    }
    return levels
  }

  /// The selection, or one near it where it was given before: the farther, the more were.
  private func unseen(
    _ selection: [Int], _ pool: SelectionPool, _ draws: inout TrialDraws
  ) -> [Int]? {
    var pool = pool
    var selection = selection
    for attempt in 0..<200 where pool.contains(selection) {
      for _ in 0...(attempt / 20) {
        let slot = draws.index(below: selection.count)
        selection[slot] = draws.index(below: candidates[slot].count)
      }
    }
    return pool.contains(selection) ? pool.random(&draws) : selection
  }
}

/// Metrics as logits between bounds a little beyond those seen: near either bound a metric says
/// little about the bits, because it can hardly rise or fall further.
private struct Logits {
  let low: Double
  let high: Double
  let values: [Double]
  /// The inverse of the variance that equal noise on all metrics gives the logits; 1 in the middle.
  let importance: [Double]

  init(_ metrics: [Double], margin: Double) {
    let least = metrics.min() ?? 0
    let greatest = metrics.max() ?? 1
    let beyond = margin * max(greatest - least, 1e-9)
    let (low, high) = (least - beyond, greatest + beyond)
    self.low = low
    self.high = high
    values = metrics.map { log(($0 - low) / (high - $0)) }
    importance = metrics.map {
      let share = ($0 - low) / (high - low)
      return 16 * share * share * (1 - share) * (1 - share)
    }
  }

  func metric(logit: Double) -> Double { low + (high - low) / (1 + exp(-logit)) }
}
