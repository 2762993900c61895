//! How a stage trains, resolved. Knows no default and no data.

/// One run of the fit loop.
package struct TrainingFields: Hashable, Sendable, Codable {
  package enum CodingKeys: String, CodingKey {
    case epochs, optimizer, loss, metrics, l2, callbacks
    case batchSize = "batch_size"
    case learningRate = "learning_rate"
    case testMetrics = "test_metrics"
  }

  package var epochs: Int
  package var batchSize: Int
  package var optimizer: OptimizerFields
  package var learningRate: LearningRateFields
  package var loss: LossKind
  package var metrics: [MetricFields]
  /// Weight of the L2 penalty on kernels; nil: the network's own.
  package var l2: Double?
  package var callbacks: CallbacksFields
  /// Whether each epoch is measured on the test set too.
  package var testMetrics: Bool

  /// What a search scores by: the accuracy where it is listed, else the first metric; for a
  /// regression AutoQKeras's.
  package var scoreMetric: MetricFields.Kind? {
    let listed = metrics.map(\.kind)
    let preferred: MetricFields.Kind = loss == .meanSquaredError ? .autoQKeras : .accuracy
    return listed.contains(preferred) ? preferred : listed.first
  }
}

/// A loss by its Keras name.
package enum LossKind: String, Hashable, Sendable, Codable, CaseIterable {
  case sparseCategoricalCrossentropy = "sparse_categorical_crossentropy"
  case categoricalCrossentropy = "categorical_crossentropy"
  /// Keras's `mean_squared_error` as well: one spelling, one key.
  case meanSquaredError = "mse"
}
