//! The learning rate of each epoch, as a plain value.

import Glibc

/// Rate by epoch; epochs count from 0, as Keras's do.
package enum LearningRateSchedule: Hashable, Sendable {
  package struct Step: Hashable, Sendable {
    package var fromEpoch: Int
    package var rate: Double

    package init(fromEpoch: Int, rate: Double) {
      self.fromEpoch = fromEpoch
      self.rate = rate
    }
  }

  case constant(Double)
  /// initial * decay^epoch.
  case exponential(initial: Double, decay: Double)
  /// The rate of the last step whose first epoch is reached; ascending, the first from epoch 0.
  case piecewise([Step])

  package func rate(epoch: Int) -> Double {
    switch self {
    case .constant(let rate): rate
    case .exponential(let initial, let decay): initial * pow(decay, Double(epoch))
    case .piecewise(let steps): steps.last { $0.fromEpoch <= epoch }?.rate ?? 0
    }
  }
}
