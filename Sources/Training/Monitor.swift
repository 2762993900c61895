//! A column of the log that a callback watches, and what counts as better there.

/// A column of the log, and whether less or more of it is better.
package struct Monitor: Hashable, Sendable {
  /// "val_loss", "val_accuracy", ...
  package var column: String
  package var wantsLess: Bool

  package init(column: String, wantsLess: Bool) {
    self.column = column
    self.wantsLess = wantsLess
  }

  /// Keras's np.less or np.greater: NaN is never better, and a tie is not.
  func prefers(_ value: Double, to other: Double) -> Bool {
    wantsLess ? value < other : value > other
  }

  /// What Keras compares the first value with: the worst infinity.
  var worst: Double { wantsLess ? .infinity : -.infinity }
}

/// Keras's ModelCheckpoint with save_best_only, without its file: the epoch whose weights are kept.
package struct CheckpointState: Hashable, Sendable, Codable {
  /// nil: no epoch was better than nothing yet.
  package private(set) var best: Double?

  package init() {}

  /// Whether the epoch that logged `value` is the best so far, so that its weights are to be kept.
  package mutating func keeps(_ value: Double?, _ monitor: Monitor) -> Bool {
    guard let value, monitor.prefers(value, to: best ?? monitor.worst) else { return false }
    best = value
    return true
  }
}
