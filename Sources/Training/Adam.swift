//! Adam, as Keras's legacy optimizer computes it. Knows a block of weights and its gradient.

import CKernels
import Tensors

/// Kingma and Ba 2015, with Keras's epsilon outside the bias correction: rate =
/// learning rate * sqrt(1 - beta2^t) / (1 - beta1^t); w -= rate * m / (sqrt(v) + epsilon).
package struct Adam: Sendable {
  package struct Constants: Hashable, Sendable {
    package var beta1: Double
    package var beta2: Double
    package var epsilon: Double

    package init(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-7) {
      self.beta1 = beta1
      self.beta2 = beta2
      self.epsilon = epsilon
    }
  }

  package let constants: Constants
  /// Updates so far.
  package private(set) var step = 0
  private let firstMoment: Storage
  private let secondMoment: Storage

  package init(_ constants: Constants, count: Int) {
    self.constants = constants
    firstMoment = Storage(count: count)
    secondMoment = Storage(count: count)
  }

  /// Moves `weights` against their gradients.
  package mutating func update(_ weights: WeightStore, learningRate: Double) {
    step += 1
    let correction =
      (1 - power(constants.beta2, step)).squareRoot() / (1 - power(constants.beta1, step))
    ck_adam(
      weights.trainable.pointer, weights.gradients.pointer, firstMoment.pointer,
      secondMoment.pointer, weights.trainable.count, Float(learningRate * correction),
      Float(constants.beta1), Float(constants.beta2), Float(constants.epsilon))
  }

  /// base^exponent by squaring: the same bits on every machine.
  private func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, factor, rest) = (1.0, base, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result *= factor }
      factor *= factor
      rest >>= 1
    }
    return result
  }
}
