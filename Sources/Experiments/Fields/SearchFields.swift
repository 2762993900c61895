//! A search, resolved: every choice with its candidates and slots, the goal and the tuner. Knows no
//! regex and no class name; those were matched against the network's slots when it was resolved.

package import Networks

/// What the tuner may choose and what it is rewarded for.
package struct SearchFields: Hashable, Sendable, Codable {
  package enum Tuner: String, Hashable, Sendable, Codable, CaseIterable {
    case random
    /// KerasTuner's BayesianOptimization, as AutoQKeras drives it.
    case bayesian
    /// KerasTuner's Hyperband: many selections for few epochs, the best of them for more.
    case hyperband
    /// Our own: learns the metric as a sum over slots and knows the cost.
    case additive
  }

  package enum CodingKeys: String, CodingKey {
    case tuner, trials, factor, batch, stopping, goal, choices
    case initialTrials = "initial_trials"
    case transfersWeights = "transfer_weights"
    case maxConsecutiveFailedTrials = "max_consecutive_failed_trials"
  }

  package var tuner: Tuner
  package var trials: Int
  /// Random trials that `bayesian` begins with; nil: three times the number of choices.
  package var initialTrials: Int?
  /// What a round of `hyperband` multiplies the epochs by; nil for other tuners.
  package var factor: Int?
  /// Trials that the tuner proposes at once, knowing those before.
  package var batch: Int
  /// So many failed trials in a row end the search.
  package var maxConsecutiveFailedTrials: Int
  /// Whether trials start from the weights of the stage that the search needs; else each starts from
  /// initialisers.
  package var transfersWeights: Bool
  /// When a hopeless trial ends early; nil: never.
  package var stopping: StoppingFields?
  package var goal: GoalFields
  /// In the tuner's order: kernels in the network's order, then biases and activations as they
  /// come. A choice of one candidate is fixed.
  package var choices: [ChoiceFields]
}

/// When a trial is hopeless.
package struct StoppingFields: Hashable, Sendable, Codable {
  package enum Rule: String, Hashable, Sendable, Codable, CaseIterable {
    /// Its best score is below the median of what the finished trials averaged so far.
    case median
  }

  package enum CodingKeys: String, CodingKey {
    case rule
    case afterEpochs = "after_epochs"
    case afterTrials = "after_trials"
  }

  package var rule: Rule
  /// Epochs that every trial gets.
  package var afterEpochs: Int
  /// Finished trials before the first one may be stopped.
  package var afterTrials: Int
}

/// One decision of the tuner: a quantizer for one slot, or the same for several.
package struct ChoiceFields: Hashable, Sendable, Codable {
  package enum Role: String, Hashable, Sendable, Codable, CaseIterable {
    case kernel, bias, activation
  }

  package var role: Role
  /// Names of the slots that share the decision, as keys of the role's part of a `QuantizerMap`.
  package var slots: [String]
  package var candidates: [QuantizerSpec]
}

/// The forgiving factor: score = metric * (1 + delta).
package struct GoalFields: Hashable, Sendable, Codable {
  package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    case bits
    case energy
  }

  package enum CodingKeys: String, CodingKey {
    case kind, rate, stress, energy
    case deltaP = "delta_p"
    case deltaN = "delta_n"
  }

  package var kind: Kind
  /// Per cent that halving the cost (at rate 2) is worth.
  package var deltaP: Double
  /// Per cent that doubling the cost (at rate 2) loses.
  package var deltaN: Double
  package var rate: Double
  /// The reference cost is multiplied by it.
  package var stress: Double
  /// What operations cost; nil where bits are counted.
  package var energy: EnergyTable?
}
