//! The tuner of AutoQKeras: KerasTuner 1.3's BayesianOptimization. Knows no cost.

/// Random trials first, then a Gaussian process over all of them and the point of its lowest
/// confidence bound.
///
/// It differs from KerasTuner in that no selection is given twice, in that the length scale is the
/// likeliest of all within the bounds instead of the best of 21 climbs, and in that the bound's
/// gradient is exact instead of taken by differences.
package struct BayesianTuner: Tuner {
  private static let alpha = 1e-4
  private static let restarts = 50

  private let seed: UInt64
  private let initialTrials: Int
  private var pool: SelectionPool
  private var number = 0
  /// Of the trials that ended with a score: -score, as it is minimised.
  private var scan: LengthScaleScan

  /// - Parameter initialTrials: random ones; nil for three times the number of choices.
  package init(cardinalities: [Int], seed: UInt64, initialTrials: Int? = nil) {
    self.seed = seed
    self.initialTrials = initialTrials ?? 3 * cardinalities.count
    pool = SelectionPool(cardinalities)
    let searched = cardinalities.count { $0 > 1 }
    scan = LengthScaleScan(dimensions: searched, alpha: Self.alpha)
  }

  package mutating func tell(_ trials: [FinishedTrial]) {
    for trial in trials {
      number += 1
      pool.insert(trial.proposal.selection)
      guard let score = trial.score, score.isFinite else { continue }
      scan.append(encoded(trial.proposal.selection), value: -score)
    }
  }

  package mutating func propose(_ count: Int) -> [Proposal] {
    var batch: [Proposal] = []
    var pool = pool
    let told = scan.values.count
    defer { scan.removeLast(scan.values.count - told) }
    while batch.count < count, !pool.isExhausted {
      var draws = TrialDraws(seed: seed, trial: number + batch.count)
      var selection: [Int]?
      if told > 0, told >= initialTrials, let process = scan.fitted() {
        let minima = minima(of: process, &draws)
        selection = minima.first { [pool] in !pool.contains($0) }
        if batch.count < count - 1, let selection {
          // The next one is proposed as if this had gone a deviation worse than expected, as
          // KerasTuner has it.
          let (mean, deviation) = process.posterior(at: encoded(selection))
          scan.append(encoded(selection), value: mean + deviation)
        }
      }
      guard let selection = selection ?? pool.random(&draws) else { break }
      pool.insert(selection)
      batch.append(Proposal(selection: selection))
    }
    return batch
  }

  /// Selections at the bound's minima, the lowest first.
  private func minima(of process: GaussianProcess, _ draws: inout TrialDraws) -> [[Int]] {
    let starts = (0..<Self.restarts).map { _ in
      (0..<scan.points.dimensions).map { _ in draws.uniform() }
    }
    var bound = LowerConfidenceBound(process)
    return bound.minima(from: starts).map { decoded($0.point) }
  }

  /// The middle of each candidate's share of [0, 1]; a choice of one candidate has no coordinate.
  private func encoded(_ selection: [Int]) -> [Double] {
    zip(selection, pool.cardinalities).compactMap { index, count in
      count > 1 ? (Double(index) + 0.5) / Double(count) : nil
    }
  }

  private func decoded(_ point: [Double]) -> [Int] {
    var next = 0
    return pool.cardinalities.map { count in
      guard count > 1 else { return 0 }
      defer { next += 1 }
      return min(max(Int(point[next] * Double(count)), 0), count - 1)
    }
  }
}
