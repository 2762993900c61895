//! A search's fields as its space and its tuner. Knows no trial.

import Experiments
import Networks
import Search

extension SearchSpace {
  init(_ choices: [ChoiceFields]) {
    self.init(
      choices.map { choice in
        let role: Slot.Role =
          switch choice.role {
          case .kernel: .kernel
          case .bias: .bias
          case .activation: .activation
          }
        return Choice(role: role, slots: choice.slots, candidates: choice.candidates)
      })
  }

  /// The tuner that a search asks for.
  ///
  /// - Parameters:
  ///   - epochs: of a whole trial.
  ///   - deltas: what a selection's cost adds to its metric.
  func tuner(
    _ fields: SearchFields, seed: Int, epochs: Int, deltas: () -> @Sendable ([Int]) -> Double
  ) -> any Tuner {
    let cardinalities = choices.map(\.candidates.count)
    let seed = UInt64(bitPattern: Int64(seed))
    switch fields.tuner {
    case .random: return RandomTuner(cardinalities: cardinalities, seed: seed)
    case .bayesian:
      return BayesianTuner(
        cardinalities: cardinalities, seed: seed, initialTrials: fields.initialTrials)
    case .hyperband:
      func rounds(iterations: Int) -> HyperbandTuner {
        HyperbandTuner(
          cardinalities: cardinalities, seed: seed, maxEpochs: epochs, factor: fields.factor ?? 3,
          iterations: iterations)
      }
      // As often as it takes for all trials that are asked for.
      let each = rounds(iterations: 1).brackets.joined().reduce(0) { $0 + $1.size }
      return rounds(iterations: (fields.trials + each - 1) / each)
    case .additive:
      return AdditiveTuner(cardinalities: cardinalities, seed: seed, delta: deltas())
    }
  }
}
