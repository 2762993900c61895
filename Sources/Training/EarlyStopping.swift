//! When training ends before its last epoch: Keras's EarlyStopping as a value and its state.

/// Keras 2.12's EarlyStopping.
package struct EarlyStopping: Hashable, Sendable {
  package var monitor: Monitor
  /// Epochs without improvement after which training ends.
  package var patience: Int
  /// Less than this is no improvement.
  package var minDelta: Double
  /// What has to be beaten too before an improvement counts against the patience.
  package var baseline: Double?
  /// The first epoch, from 0, that is looked at.
  package var startFromEpoch: Int
  package var restoresBestWeights: Bool

  package init(
    monitor: Monitor, patience: Int, minDelta: Double = 0, baseline: Double? = nil,
    startFromEpoch: Int = 0, restoresBestWeights: Bool = false
  ) {
    self.monitor = monitor
    self.patience = patience
    self.minDelta = minDelta
    self.baseline = baseline
    self.startFromEpoch = startFromEpoch
    self.restoresBestWeights = restoresBestWeights
  }

  /// In Keras's form: the difference is taken from the value, not added to the reference, which
  /// rounds otherwise.
  fileprivate func improves(_ value: Double, on reference: Double) -> Bool {
    let delta = monitor.wantsLess ? -minDelta : minDelta
    return monitor.prefers(value - delta, to: reference)
  }
}

/// How long early stopping has waited.
package struct EarlyStoppingState: Hashable, Sendable, Codable {
  package struct Verdict: Hashable, Sendable {
    /// The epoch's weights are the ones to come back to.
    package var keepsWeights = false
    /// Training ends with this epoch.
    package var stops = false
  }

  /// nil: nothing was better than nothing yet.
  package private(set) var best: Double?
  /// Keras's best_epoch: 0 until one improves.
  package private(set) var bestEpoch = 0
  /// Epochs since the last improvement.
  package private(set) var wait = 0
  private var hasLooked = false

  package init() {}

  /// - Parameter value: what the epoch logged; nil where the column is missing, which Keras skips.
  package mutating func observe(
    _ value: Double?, epoch: Int, _ settings: EarlyStopping
  ) -> Verdict {
    guard let value, epoch >= settings.startFromEpoch else { return Verdict() }
    // The first epoch's weights are kept even where none ever improves.
    var verdict = Verdict(keepsWeights: !hasLooked)
    hasLooked = true
    wait += 1
    if settings.improves(value, on: best ?? settings.monitor.worst) {
      best = value
      bestEpoch = epoch
      verdict.keepsWeights = true
      if settings.baseline.map({ settings.improves(value, on: $0) }) ?? true { wait = 0 }
      return verdict
    }
    // Keras never stops in the first epoch.
    verdict.stops = wait >= settings.patience && epoch > 0
    return verdict
  }
}
