//! What watches the fit loop's log: the best epoch's weights, and when to stop. Keras's
//! ModelCheckpoint and EarlyStopping, without their files.

/// A column of the log, and whether less or more of it is better.
package struct Monitor: Hashable, Sendable {
  /// "val_loss", "val_accuracy", ...
  package var column: String
  package var wantsLess: Bool

  package init(column: String, wantsLess: Bool) {
    self.column = column
    self.wantsLess = wantsLess
  }
}

/// Keras's EarlyStopping.
package struct EarlyStopping: Hashable, Sendable {
  package var monitor: Monitor
  /// Epochs without improvement after which training ends.
  package var patience: Int
  /// Less than this is no improvement.
  package var minimumDelta: Double
  package var restoresBestWeights: Bool

  package init(
    monitor: Monitor, patience: Int, minimumDelta: Double = 0, restoresBestWeights: Bool = false
  ) {
    self.monitor = monitor
    self.patience = patience
    self.minimumDelta = minimumDelta
    self.restoresBestWeights = restoresBestWeights
  }
}

/// Keeps the weights of the epoch that a monitor likes best; the earlier one on a tie.
struct BestKeeper {
  let monitor: Monitor
  private(set) var best: (epoch: Int, value: Double, weights: WeightStore.Snapshot)?

  init(_ monitor: Monitor) { self.monitor = monitor }

  mutating func offer(_ log: EpochLog, weights: WeightStore) {
    guard let value = log.values[monitor.column] else { return }
    if let best {
      guard monitor.wantsLess ? value < best.value : value > best.value else { return }
    }
    best = (log.epoch, value, weights.snapshot())
  }
}

/// Counts the epochs that have passed without improvement.
struct EarlyStoppingState {
  private let settings: EarlyStopping
  private var reference: Double?
  private var waited = 0
  private(set) var best: (epoch: Int, value: Double, weights: WeightStore.Snapshot)?

  init(_ settings: EarlyStopping) { self.settings = settings }

  mutating func shouldStop(after log: EpochLog, weights: WeightStore) -> Bool {
    guard let value = log.values[settings.monitor.column] else { return false }
    let improves =
      reference.map {
        settings.monitor.wantsLess
          ? value < $0 - settings.minimumDelta : value > $0 + settings.minimumDelta
      } ?? true
    waited += 1
    if improves {
      reference = value
      waited = 0
      if settings.restoresBestWeights { best = (log.epoch, value, weights.snapshot()) }
    }
    // Keras never stops in the first epoch.
    return waited >= settings.patience && log.epoch > 0
  }
}
