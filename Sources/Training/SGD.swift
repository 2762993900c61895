//! Stochastic gradient descent, as Keras's legacy optimizer computes it. Knows a block of weights
//! and its gradient.

import CKernels
import Tensors

/// v = momentum * v - rate * g; w += v, or with Nesterov's rule w += momentum * v - rate * g;
/// without momentum w -= rate * g. In float32, in the order of TensorFlow's kernels.
package struct SGD: Sendable {
  package struct Constants: Hashable, Sendable {
    /// 0...1.
    package var momentum: Double
    /// Without momentum it changes nothing, as in Keras.
    package var nesterov: Bool

    package init(momentum: Double = 0, nesterov: Bool = false) {
      self.momentum = momentum
      self.nesterov = nesterov
    }
  }

  package let constants: Constants
  /// Empty without momentum.
  private let velocity: Storage

  package init(_ constants: Constants, count: Int) {
    self.constants = constants
    velocity = Storage(count: constants.momentum > 0 ? count : 0)
  }

  /// Moves `weights` against their gradients.
  package func update(_ weights: WeightStore, learningRate: Float) {
    let (values, gradients) = (weights.trainable.pointer, weights.gradients.pointer)
    if constants.momentum > 0 {
      ck_sgd_momentum(
        values, gradients, velocity.pointer, weights.trainable.count, learningRate,
        Float(constants.momentum), constants.nesterov ? 1 : 0)
    } else {
      ck_sgd(values, gradients, weights.trainable.count, learningRate)
    }
  }

  /// The velocity, where there is one.
  var state: OptimizerState {
    OptimizerState(moments: constants.momentum > 0 ? [velocity.values] : [])
  }

  func restore(_ state: OptimizerState) {
    for values in state.moments { velocity.load(values) }
  }
}
