//! The tuner that gives many selections few epochs and the best of them more: KerasTuner 1.3's
//! Hyperband. Knows no cost.

import Glibc

/// Brackets of successive halving (Li et al. 2018). A bracket begins with random selections of few
/// epochs; each round takes the best of the one before further, by `factor` times as many epochs.
package struct HyperbandTuner: Tuner {
  /// One round of a bracket: how many trials, to how many epochs.
  package struct Round: Hashable, Sendable {
    package var size: Int
    package var epochs: Int
  }

  private let seed: UInt64
  private var pool: SelectionPool
  /// The rounds of each bracket in the order they run.
  package let brackets: [[Round]]
  private var trials: [FinishedTrial] = []

  /// - Parameters:
  ///   - maxEpochs: of a trial that comes through to the end.
  ///   - factor: at least 2.
  ///   - iterations: how often all brackets are run.
  package init(
    cardinalities: [Int], seed: UInt64, maxEpochs: Int, factor: Int = 3, iterations: Int = 1
  ) {
    precondition(maxEpochs >= 1 && factor >= 2 && iterations >= 1, "no bracket")
    self.seed = seed
    pool = SelectionPool(cardinalities)
    var count = 0
    var epochs = Double(maxEpochs)
    while epochs >= 1 {
      epochs /= Double(factor)
      count += 1
    }
    let endSize = (1 + log(Double(maxEpochs)) / log(Double(factor))).rounded(.up)
    let brackets = (0..<count).reversed().map { bracket in
      (0...bracket).map { round in
        let power = pow(Double(factor), Double(bracket - round))
        return Round(
          size: Int((endSize / Double(bracket + 1) * power).rounded(.up)),
          epochs: Int((Double(maxEpochs) / power).rounded(.up)))
      }
    }
    self.brackets = Array(repeatElement(brackets, count: iterations).joined())
  }

  package mutating func tell(_ trials: [FinishedTrial]) {
    for trial in trials { pool.insert(trial.proposal.selection) }
    self.trials += trials
  }

  /// A round's trials wait for all of the round before: none is asked for until they are told.
  package mutating func propose(_ count: Int) -> [Proposal] {
    var start = 0
    for rounds in brackets {
      var previous: Range<Int>?
      for (index, round) in rounds.enumerated() {
        let winners = previous.map { ranked($0) }
        let size = min(round.size, winners?.count ?? round.size)
        if start + size > trials.count {
          let numbers = trials.count..<min(start + size, trials.count + count)
          guard let winners else { return random(numbers, epochs: round.epochs) }
          return numbers.map { number in
            let winner = winners[number - start]
            return Proposal(
              selection: trials[winner].proposal.selection, epochs: rounds[index].epochs,
              continues: winner)
          }
        }
        previous = start..<(start + size)
        start += size
      }
    }
    return []
  }

  private func random(_ numbers: Range<Int>, epochs: Int) -> [Proposal] {
    var pool = pool
    return numbers.compactMap { number in
      var draws = TrialDraws(seed: seed, trial: number)
      return pool.random(&draws).map { Proposal(selection: $0, epochs: epochs) }
    }
  }

  /// A round's trials that did not fail, the best first, of equals the earlier.
  private func ranked(_ round: Range<Int>) -> [Int] {
    round.compactMap { number in
      trials[number].score.flatMap { $0.isNaN ? nil : (number: number, score: $0) }
    }.sorted { ($1.score, $0.number) < ($0.score, $1.number) }.map(\.number)
  }
}
