//! What a fit is told and what it tells: settings, data, log, progress, result, as plain values.

/// Batches of examples, as a data set hands them to the fit loop.
package protocol BatchSource {
  /// Examples of an epoch.
  var count: Int { get }
  /// Starts epoch `epoch` (from 0): the order and the augmentation that belong to it.
  mutating func begin(epoch: Int) throws
  /// Writes the next batch and returns its number of examples: the batch size, less at the end.
  mutating func next(
    into inputs: UnsafeMutablePointer<Float>, labels: UnsafeMutablePointer<Int32>
  ) throws -> Int
}

/// The sets of one fit. What is nil is not measured.
package struct FitData<Source: BatchSource> {
  package var training: Source
  package var validation: Source?
  /// Measured after each epoch and logged; no callback can watch it.
  package var test: Source?

  package init(training: Source, validation: Source? = nil, test: Source? = nil) {
    self.training = training
    self.validation = validation
    self.test = test
  }
}

/// How a fit runs.
package struct FitSettings: Sendable {
  package var epochs: Int
  package var batchSize: Int
  package var loss: Loss
  package var metrics: [Metric]
  package var optimizer: Optimizer
  package var learningRate: LearningRateSchedule
  package var callbacks: Callbacks
  /// Whether a later fit goes on from this one's last epoch.
  package var isContinued = false

  package init(
    epochs: Int, batchSize: Int, loss: Loss, metrics: [Metric] = [.accuracy],
    optimizer: Optimizer = .adam(.init()), learningRate: LearningRateSchedule,
    callbacks: Callbacks = .init()
  ) {
    self.epochs = epochs
    self.batchSize = batchSize
    self.loss = loss
    self.metrics = metrics
    self.optimizer = optimizer
    self.learningRate = learningRate
    self.callbacks = callbacks
  }
}

/// What one epoch logged: Keras's names, `val_` before those of the validation set and `test_`
/// before those of the test set.
package struct EpochLog: Hashable, Sendable {
  /// From 0.
  package var epoch: Int
  /// loss, the metrics' names, val_loss, ..., lr.
  package var values: [String: Double]
  /// Empty unless the callbacks ask for it.
  package var layers: [LayerStatistics] = []

  package init(epoch: Int, values: [String: Double]) {
    self.epoch = epoch
    self.values = values
  }
}

/// How far a fit is, for a progress line.
package struct FitProgress: Hashable, Sendable {
  /// From 1.
  package var epoch: Int
  package var epochs: Int
  package var examplesDone: Int
  package var examples: Int
}

/// What a fit ends with.
package struct FitResult: Sendable {
  package var log: [EpochLog] = []
  /// The epoch whose weights the model holds now; nil: the last one's.
  package var bestEpoch: Int?
  /// Early stopping ended it.
  package var stoppedEarly = false
  /// The callbacks' floor ended it.
  package var fellShort = false
  /// The loss was no longer finite, and a callback took that for an end.
  package var terminatedOnNaN = false
}

/// A fit that cannot go on.
package enum TrainingError: Error, Hashable, Sendable, CustomStringConvertible {
  case lossIsNotFinite(epoch: Int, batch: Int)
  case noExamples

  package var description: String {
    switch self {
    case .lossIsNotFinite(let epoch, let batch):
      "the loss is no longer a finite number in epoch \(epoch + 1), batch \(batch + 1): "
        + "lower the learning rate"
    case .noExamples: "there are no examples to train on"
    }
  }
}
