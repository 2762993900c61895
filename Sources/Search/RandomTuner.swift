//! The tuner that draws selections at random. Knows no score.

/// Uniform selections without repetition.
package struct RandomTuner: Tuner {
  private let seed: UInt64
  private var pool: SelectionPool
  private var number = 0

  package init(cardinalities: [Int], seed: UInt64) {
    self.seed = seed
    pool = SelectionPool(cardinalities)
  }

  package mutating func tell(_ trials: [FinishedTrial]) {
    for trial in trials { pool.insert(trial.proposal.selection) }
    number += trials.count
  }

  package mutating func propose(_ count: Int) -> [Proposal] {
    var pool = pool
    return (0..<count).compactMap {
      var draws = TrialDraws(seed: seed, trial: number + $0)
      return pool.random(&draws).map { Proposal(selection: $0) }
    }
  }
}
