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
  /// initial * ((1 - alpha) * (1 + cos(pi * t)) / 2 + alpha), t = min(epoch / decayEpochs, 1):
  /// Keras 2.12's CosineDecay, called once an epoch.
  case cosine(initial: Double, alpha: Double, decayEpochs: Int)
  /// A rate for each epoch; the last one goes on. Not empty.
  case table([Double])

  /// The rate in epoch `epoch`, as the float32 that Keras's optimizer holds.
  package func rate(epoch: Int) -> Float {
    switch self {
    case .constant(let rate): Float(rate)
    case .exponential(let initial, let decay): Float(initial * pow(decay, Double(epoch)))
    case .piecewise(let steps): Float(steps.last { $0.fromEpoch <= epoch }?.rate ?? 0)
    case .cosine(let initial, let alpha, let decayEpochs):
      Self.cosine(Float(initial), alpha: alpha, epoch: epoch, decayEpochs: decayEpochs)
    case .table(let rates): Float(rates.isEmpty ? 0 : rates[min(epoch, rates.count - 1)])
    }
  }

  /// Whether the rate is set anew at the start of each epoch, as Keras's LearningRateScheduler does
  /// it; a constant one is set once, and what a callback made of it stays.
  package var setsEachEpoch: Bool { if case .constant = self { false } else { true } }

  /// In float32 throughout, as Keras's tensors are.
  private static func cosine(
    _ initial: Float, alpha: Double, epoch: Int, decayEpochs: Int
  ) -> Float {
    let steps = Float(decayEpochs)
    let completed = min(Float(epoch), steps) / steps
    // Rounded to the nearest, where Float.pi is rounded down.
    let pi = Float(3.141_592_653_589_793)
    let cosine = 0.5 * (1 + cosf(pi * completed))
    return initial * (Float(1 - alpha) * cosine + Float(alpha))
  }
}
