//! What watches the fit loop, resolved, in Keras's names. Knows no default.

/// The callbacks of a fit; nil or false: is not there. Their order is fixed, so that none hides
/// something from another, and says nothing in a key.
package struct CallbacksFields: Hashable, Sendable, Codable {
  package enum CodingKeys: String, CodingKey {
    case tensorboard
    case csvLogger = "csv_logger"
    case modelCheckpoint = "model_checkpoint"
    case earlyStopping = "early_stopping"
    case reduceLROnPlateau = "reduce_lr_on_plateau"
    case terminateOnNaN = "terminate_on_nan"
    case layerStatistics = "layer_statistics"
  }

  /// Writes log.csv with Keras's CSVLogger columns.
  package var csvLogger = false
  /// The stage's weights are those of the best epoch; nil: of the last one.
  package var modelCheckpoint: ModelCheckpointFields?
  package var earlyStopping: EarlyStoppingFields?
  package var reduceLROnPlateau: ReduceLROnPlateauFields?
  /// A loss that is not finite ends the fit instead of failing the stage.
  package var terminateOnNaN = false
  /// Writes layer_statistics.csv.
  package var layerStatistics = false
  /// Writes event files for TensorBoard.
  package var tensorboard: TensorBoardFields?

  /// The callbacks that watch a column, by their names.
  package var monitors: [(callback: String, monitor: MonitorKind)] {
    let all: [(CodingKeys, MonitorKind?)] = [
      (.modelCheckpoint, modelCheckpoint?.monitor), (.earlyStopping, earlyStopping?.monitor),
      (.reduceLROnPlateau, reduceLROnPlateau?.monitor),
    ]
    return all.compactMap { key, monitor in monitor.map { (key.rawValue, $0) } }
  }

  /// Whether one of them looks at the validation set.
  package var validates: Bool { monitors.contains { $0.monitor.validates } }
}

package struct ModelCheckpointFields: Hashable, Sendable, Codable {
  package var monitor: MonitorKind
  package var mode: MonitorMode
}

package struct EarlyStoppingFields: Hashable, Sendable, Codable {
  package enum CodingKeys: String, CodingKey {
    case monitor, mode, patience, baseline
    case minDelta = "min_delta"
    case startFromEpoch = "start_from_epoch"
    case restoreBestWeights = "restore_best_weights"
  }

  package var monitor: MonitorKind
  package var mode: MonitorMode
  /// Epochs without improvement after which training ends.
  package var patience: Int
  /// Less than this is no improvement.
  package var minDelta: Double
  /// What must be beaten too before the patience starts again; nil: nothing.
  package var baseline: Double?
  /// Epochs before this one, from 0, are not looked at.
  package var startFromEpoch: Int
  package var restoreBestWeights: Bool
}

package struct ReduceLROnPlateauFields: Hashable, Sendable, Codable {
  package enum CodingKeys: String, CodingKey {
    case monitor, mode, factor, patience, cooldown
    case minDelta = "min_delta"
    case minLR = "min_lr"
  }

  package var monitor: MonitorKind
  package var mode: MonitorMode
  /// What the rate is multiplied by.
  package var factor: Double
  /// Epochs without improvement after which the rate falls.
  package var patience: Int
  package var minDelta: Double
  /// Epochs after a reduction in which none is counted.
  package var cooldown: Int
  package var minLR: Double
}

package struct TensorBoardFields: Hashable, Sendable, Codable {
  package enum CodingKeys: String, CodingKey {
    case histogramFreq = "histogram_freq"
  }

  /// Epochs from one histogram of the weights to the next; 0: none.
  package var histogramFreq: Int
}
