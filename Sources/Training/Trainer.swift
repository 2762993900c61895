//! The fit loop: epochs of steps, validation, callbacks, in Keras's order and with Keras's numbers.
//! Knows no files: what an epoch logs goes to a closure.

import Networks
import Tensors

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

/// How a fit runs.
package struct FitSettings: Sendable {
  package var epochs: Int
  package var batchSize: Int
  package var loss: Loss
  package var adam: Adam.Constants
  package var learningRate: LearningRateSchedule
  package var checkpoint: Monitor?
  package var earlyStopping: EarlyStopping?

  package init(
    epochs: Int, batchSize: Int, loss: Loss, adam: Adam.Constants = .init(),
    learningRate: LearningRateSchedule, checkpoint: Monitor? = nil,
    earlyStopping: EarlyStopping? = nil
  ) {
    self.epochs = epochs
    self.batchSize = batchSize
    self.loss = loss
    self.adam = adam
    self.learningRate = learningRate
    self.checkpoint = checkpoint
    self.earlyStopping = earlyStopping
  }
}

/// What one epoch logged: Keras's names, `val_` before those of the validation set.
package struct EpochLog: Hashable, Sendable {
  package var epoch: Int
  /// loss, accuracy, val_loss, val_accuracy, lr.
  package var values: [String: Double]
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
  package var log: [EpochLog]
  /// The epoch whose weights the model holds now.
  package var bestEpoch: Int?
  package var stoppedEarly: Bool
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

/// Runs epochs over a model.
package struct Trainer {
  private let model: Model
  private let settings: FitSettings
  private var adam: Adam

  package init(_ model: Model, _ settings: FitSettings) {
    self.model = model
    self.settings = settings
    adam = Adam(settings.adam, count: model.weights.trainable.count)
  }

  /// Trains, and leaves the model with the checkpoint's weights where one is asked for, else the
  /// last epoch's (or the best's, as early stopping says).
  package mutating func fit(
    training: inout some BatchSource, validation: inout (some BatchSource)?,
    progress: (FitProgress) -> Void, onEpoch: (EpochLog) throws -> Void
  ) throws -> FitResult {
    var result = FitResult(log: [], bestEpoch: nil, stoppedEarly: false)
    var checkpoint = settings.checkpoint.map { BestKeeper($0) }
    var stopping = settings.earlyStopping.map { EarlyStoppingState($0) }
    for epoch in 0..<settings.epochs {
      let rate = settings.learningRate.rate(epoch: epoch)
      var values = try train(&training, epoch: epoch, learningRate: rate, progress: progress)
      if var source = validation {
        let measured = try Evaluation.run(
          model, loss: settings.loss, batchSize: settings.batchSize, on: &source)
        values["val_loss"] = measured.loss
        values["val_accuracy"] = measured.accuracy
        validation = source
      }
      // Keras's rate is a float32, and its logs have the shortest number that reads back as it.
      values["lr"] = Double("\(Float(rate))") ?? rate
      let log = EpochLog(epoch: epoch, values: values)
      result.log.append(log)
      try onEpoch(log)
      checkpoint?.offer(log, weights: model.weights)
      if stopping?.shouldStop(after: log, weights: model.weights) == true {
        result.stoppedEarly = true
        break
      }
    }
    // Keras restores the best weights only when it stops early.
    if let best = checkpoint?.best ?? (result.stoppedEarly ? stopping?.best : nil) {
      model.weights.restore(best.weights)
      result.bestEpoch = best.epoch
    }
    return result
  }

  private mutating func train(
    _ source: inout some BatchSource, epoch: Int, learningRate: Double,
    progress: (FitProgress) -> Void
  ) throws -> [String: Double] {
    try source.begin(epoch: epoch)
    let full = try model.program(batch: settings.batchSize, mode: .training)
    var labels = [Int32](repeating: 0, count: settings.batchSize)
    var sum = 0.0
    var correct = 0
    var seen = 0
    var batch = 0
    while seen < source.count {
      let count = try source.next(into: full.input, labels: &labels)
      guard count > 0 else { break }
      var program = full
      if count < settings.batchSize {
        program = try model.program(batch: count, mode: .training)
        program.input.update(from: full.input, count: count * model.network.layers[0].elements)
      }
      // Keras logs the loss with its penalty, both of the weights before the step.
      let penalty = model.penalty
      let outcome = model.computeGradients(program, loss: settings.loss, labels: labels)
      sum += outcome.sum + penalty * Double(count)
      correct += outcome.correct
      guard sum.isFinite else { throw TrainingError.lossIsNotFinite(epoch: epoch, batch: batch) }
      adam.update(model.weights, learningRate: learningRate)
      seen += count
      batch += 1
      progress(
        FitProgress(
          epoch: epoch + 1, epochs: settings.epochs, examplesDone: seen, examples: source.count))
    }
    guard seen > 0 else { throw TrainingError.noExamples }
    return ["loss": sum / Double(seen), "accuracy": Double(correct) / Double(seen)]
  }
}

/// Measures a model on a set.
package struct Evaluation: Sendable {
  /// Mean loss with the penalty, as Keras's evaluate reports it.
  package var loss: Double
  package var accuracy: Double
  package var correct: Int
  package var count: Int

  /// - Parameter visit: is shown each example's index, output and label.
  package static func run(
    _ model: Model, loss: Loss, batchSize: Int, on source: inout some BatchSource,
    visit: (Int, UnsafeBufferPointer<Float>, Int32) throws -> Void = { _, _, _ in },
    progress: (Int) -> Void = { _ in }
  ) throws -> Evaluation {
    try source.begin(epoch: 0)
    let full = try model.program(batch: batchSize, mode: .inference)
    full.prepare()
    var labels = [Int32](repeating: 0, count: batchSize)
    var outcome = Loss.Outcome()
    var seen = 0
    let width = model.network.outputShape.reduce(1, *)
    while seen < source.count {
      let count = try source.next(into: full.input, labels: &labels)
      guard count > 0 else { break }
      var program = full
      if count < batchSize {
        program = try model.program(batch: count, mode: .inference)
        program.prepare()
        program.input.update(from: full.input, count: count * model.network.layers[0].elements)
      }
      program.forward()
      outcome += loss.outcome(of: program, labels: labels)
      for sample in 0..<count {
        let output = UnsafeBufferPointer(start: program.output + sample * width, count: width)
        try visit(seen + sample, output, labels[sample])
      }
      seen += count
      progress(seen)
    }
    guard seen > 0 else { throw TrainingError.noExamples }
    return Evaluation(
      loss: outcome.sum / Double(seen) + model.penalty,
      accuracy: Double(outcome.correct) / Double(seen), correct: outcome.correct, count: seen)
  }
}
