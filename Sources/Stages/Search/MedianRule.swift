//! Which trials are hopeless, by what the finished ones did. Knows no process.

import Experiments
import Networks

/// The median stopping rule of Golovin et al., "Google Vizier" (KDD 2017), on scores: a trial ends
/// after an epoch where its best score so far is below the median of what the finished trials
/// averaged up to that epoch.
///
/// What a trial must reach is fixed when it is proposed, and is part of its key: it follows from the
/// trials told by then, and not from how many run at once.
struct MedianRule: Sendable {
  let fields: StoppingFields
  /// Of a whole trial.
  let epochs: Int

  /// - Parameters:
  ///   - delta: of the trial, whose cost is known beforehand.
  ///   - trials: told so far; those that came to their end count.
  func floor(delta: Double, after trials: [SearchTrial]) -> TrialFloor? {
    let whole = trials.filter { $0.state == .done && !$0.byEpoch.isEmpty }
    guard whole.count >= fields.afterTrials, fields.afterEpochs < epochs, delta > -1 else {
      return nil
    }
    let values = (fields.afterEpochs..<epochs).map { count in
      Self.median(
        whole.map { trial in
          let begun = trial.byEpoch.prefix(count)
          return ForgivingFactor.score(
            metric: begun.reduce(0, +) / Double(begun.count), delta: trial.delta)
        }) / (1 + delta)
    }
    return TrialFloor(afterEpochs: fields.afterEpochs, values: values)
  }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
