//! Adam, as Keras's legacy optimizer computes it. Knows a block of weights and its gradient.

import CKernels
import Glibc
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
    // In float32 as TensorFlow: 1 - 0.999 has a relative error of 1e-5 there, which the second
    // moment shares and the quotient cancels; an exact rate would not.
    let beta1 = Float(constants.beta1)
    let beta2 = Float(constants.beta2)
    let rate =
      Float(learningRate) * (1 - powf(beta2, Float(step))).squareRoot()
      / (1 - powf(beta1, Float(step)))
    ck_adam(
      weights.trainable.pointer, weights.gradients.pointer, firstMoment.pointer,
      secondMoment.pointer, weights.trainable.count, weights.starts.pointer, weights.starts.count,
      rate, beta1, beta2, Float(constants.epsilon))
  }

  /// The step and both moments.
  var state: OptimizerState {
    get { OptimizerState(step: step, moments: [firstMoment.values, secondMoment.values]) }
    set {
      step = newValue.step
      for (moment, values) in zip([firstMoment, secondMoment], newValue.moments) {
        moment.load(values)
      }
    }
  }
}
