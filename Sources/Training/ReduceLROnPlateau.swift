//! A learning rate that falls where the log no longer moves: Keras's ReduceLROnPlateau as a value
//! and its state.

/// Keras 2.12's ReduceLROnPlateau.
package struct ReduceLROnPlateau: Hashable, Sendable {
  package var monitor: Monitor
  /// What the rate is multiplied by, below 1.
  package var factor: Double
  /// Epochs without improvement after which the rate falls.
  package var patience: Int
  /// Less than this is no improvement.
  package var minDelta: Double
  /// Epochs after a reduction in which none is counted.
  package var cooldown: Int
  package var minLearningRate: Double

  package init(
    monitor: Monitor, factor: Double = 0.1, patience: Int = 10, minDelta: Double = 1e-4,
    cooldown: Int = 0, minLearningRate: Double = 0
  ) {
    self.monitor = monitor
    self.factor = factor
    self.patience = patience
    self.minDelta = minDelta
    self.cooldown = cooldown
    self.minLearningRate = minLearningRate
  }
}

/// How long the log has not moved.
package struct PlateauState: Hashable, Sendable, Codable {
  /// nil: nothing was better than nothing yet.
  package private(set) var best: Double?
  package private(set) var wait = 0
  /// Epochs of cooldown that are left.
  package private(set) var cooldown = 0

  package init() {}

  /// The rate of the epochs after the one that logged `value` at `rate`.
  package mutating func rate(
    after value: Double?, at rate: Float, _ settings: ReduceLROnPlateau
  ) -> Float {
    guard let value else { return rate }
    if cooldown > 0 {
      cooldown -= 1
      wait = 0
    }
    let reference = best ?? settings.monitor.worst
    // The other way round than in EarlyStopping, as Keras has it.
    let delta = settings.monitor.wantsLess ? -settings.minDelta : settings.minDelta
    if settings.monitor.prefers(value, to: reference + delta) {
      best = value
      wait = 0
      return rate
    }
    guard cooldown == 0 else { return rate }
    wait += 1
    guard wait >= settings.patience, rate > Float(settings.minLearningRate) else { return rate }
    cooldown = settings.cooldown
    wait = 0
    // NumPy multiplies a float32 by a Python number in double.
    return Float(max(Double(rate) * settings.factor, settings.minLearningRate))
  }
}
