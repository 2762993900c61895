//! How a stage trains, resolved. Knows no default and no data.

/// One run of the fit loop.
package struct TrainingFields: Hashable, Sendable, Codable {
  package enum CodingKeys: String, CodingKey {
    case epochs, optimizer, loss, metrics, l2, callbacks
    case batchSize = "batch_size"
    case learningRate = "learning_rate"
  }

  package var epochs: Int
  package var batchSize: Int
  package var optimizer: OptimizerFields
  package var learningRate: LearningRateFields
  package var loss: LossKind
  package var metrics: [MetricKind]
  /// Weight of the L2 penalty on kernels; nil: the network's own.
  package var l2: Double?
  package var callbacks: CallbacksFields
}

package enum LossKind: String, Hashable, Sendable, Codable, CaseIterable {
  case sparseCategoricalCrossentropy = "sparse_categorical_crossentropy"
}

package enum MetricKind: String, Hashable, Sendable, Codable, CaseIterable {
  case accuracy
}

/// An optimizer with its constants, without the learning rate.
package struct OptimizerFields: Hashable, Sendable, Codable {
  package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    case adam
  }

  package var kind: Kind
  package var beta1: Double
  package var beta2: Double
  package var epsilon: Double

  package enum CodingKeys: String, CodingKey {
    case kind, epsilon
    case beta1 = "beta_1"
    case beta2 = "beta_2"
  }
}

/// The learning rate of an epoch, counted from 0.
package enum LearningRateFields: Hashable, Sendable {
  case constant(Double)
  /// initial * decay^epoch.
  case exponential(initial: Double, decay: Double)
  /// The rate of the last step whose `fromEpoch` is reached; the first one's is 0.
  case piecewise([Step])

  package struct Step: Hashable, Sendable, Codable {
    package enum CodingKeys: String, CodingKey {
      case rate
      case fromEpoch = "from_epoch"
    }

    package var fromEpoch: Int
    package var rate: Double
  }

  package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    case constant, exponential, piecewise
  }
}

extension LearningRateFields: Codable {
  package enum CodingKeys: String, CodingKey {
    case kind, initial, decay, steps
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    switch try container.decode(Kind.self, forKey: .kind) {
    case .constant:
      self = .constant(try container.decode(Double.self, forKey: .initial))
    case .exponential:
      self = .exponential(
        initial: try container.decode(Double.self, forKey: .initial),
        decay: try container.decode(Double.self, forKey: .decay))
    case .piecewise:
      self = .piecewise(try container.decode([Step].self, forKey: .steps))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .constant(let rate):
      try container.encode(Kind.constant, forKey: .kind)
      try container.encode(rate, forKey: .initial)
    case .exponential(let initial, let decay):
      try container.encode(Kind.exponential, forKey: .kind)
      try container.encode(initial, forKey: .initial)
      try container.encode(decay, forKey: .decay)
    case .piecewise(let steps):
      try container.encode(Kind.piecewise, forKey: .kind)
      try container.encode(steps, forKey: .steps)
    }
  }
}

/// What watches the fit loop; nil or false: does not.
package struct CallbacksFields: Hashable, Sendable, Codable {
  package enum CodingKeys: String, CodingKey {
    case csvLogger = "csv_logger"
    case modelCheckpoint = "model_checkpoint"
    case earlyStopping = "early_stopping"
  }

  /// Writes log.csv with Keras's CSVLogger columns.
  package var csvLogger: Bool
  /// The stage's weights are those of the best epoch; nil: of the last one.
  package var modelCheckpoint: ModelCheckpointFields?
  package var earlyStopping: EarlyStoppingFields?

  /// Whether one of them looks at the validation set.
  package var validates: Bool {
    [modelCheckpoint?.monitor, earlyStopping?.monitor].contains { monitor in
      monitor == .valLoss || monitor == .valAccuracy
    }
  }
}

/// A column of the log that a callback watches.
package enum MonitorKind: String, Hashable, Sendable, Codable, CaseIterable {
  case loss
  case accuracy
  case valLoss = "val_loss"
  case valAccuracy = "val_accuracy"
}

/// Whether less or more of the watched column is better.
package enum MonitorMode: String, Hashable, Sendable, Codable, CaseIterable {
  case min, max
}

package struct ModelCheckpointFields: Hashable, Sendable, Codable {
  package var monitor: MonitorKind
  package var mode: MonitorMode
}

package struct EarlyStoppingFields: Hashable, Sendable, Codable {
  package enum CodingKeys: String, CodingKey {
    case monitor, mode, patience
    case minDelta = "min_delta"
    case restoreBestWeights = "restore_best_weights"
  }

  package var monitor: MonitorKind
  package var mode: MonitorMode
  /// Epochs without improvement after which training ends.
  package var patience: Int
  /// Less than this is no improvement.
  package var minDelta: Double
  package var restoreBestWeights: Bool
}
