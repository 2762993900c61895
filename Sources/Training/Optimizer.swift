//! The optimizers that a fit can name, behind one call. Knows no schedule: the rate is an argument.

/// An optimizer with its constants.
package enum Optimizer: Hashable, Sendable {
  case adam(Adam.Constants)
  case sgd(SGD.Constants)
}

/// An optimizer at work on one block of weights.
enum RunningOptimizer {
  case adam(Adam)
  case sgd(SGD)

  init(_ optimizer: Optimizer, count: Int) {
    switch optimizer {
    case .adam(let constants): self = .adam(Adam(constants, count: count))
    case .sgd(let constants): self = .sgd(SGD(constants, count: count))
    }
  }

  /// Moves `weights` against their gradients.
  mutating func update(_ weights: WeightStore, learningRate: Float) {
    switch self {
    case .adam(var adam):
      adam.update(weights, learningRate: Double(learningRate))
      self = .adam(adam)
    case .sgd(let sgd): sgd.update(weights, learningRate: learningRate)
    }
  }

  /// What it remembers. Only a state that `suits` the optimizer may be set.
  var state: OptimizerState {
    get {
      switch self {
      case .adam(let adam): adam.state
      case .sgd(let sgd): sgd.state
      }
    }
    set {
      switch self {
      case .adam(var adam):
        adam.state = newValue
        self = .adam(adam)
      case .sgd(let sgd): sgd.restore(newValue)
      }
    }
  }
}
