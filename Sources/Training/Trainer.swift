//! The fit loop: epochs of steps, validation, callbacks, in Keras's order and with Keras's numbers.
//! Knows no files: what an epoch logs goes to a closure.

import Networks
import Tensors

/// Runs epochs over a model.
package struct Trainer {
  private let model: Model
  private let settings: FitSettings
  private var optimizer: RunningOptimizer
  private var statistics: LayerStatisticsCollector?
  private let threads = ThreadChoice()

  package init(_ model: Model, _ settings: FitSettings) {
    self.model = model
    self.settings = settings
    optimizer = RunningOptimizer(settings.optimizer, count: model.weights.trainable.count)
    if settings.callbacks.layerStatistics { statistics = LayerStatisticsCollector(model) }
  }

  /// Trains, and leaves the model with the checkpoint's weights where one is asked for, else the
  /// last epoch's (or the best's, as early stopping says).
  ///
  /// - Parameters:
  ///   - state: where an earlier process left the fit, and a state that `suits` it; nil: at its
  ///     beginning.
  ///   - onEpoch: is called after each epoch, before callbacks judge it.
  ///   - betweenEpochs: is called where another epoch follows, now or in a later fit, and may ask
  ///     where the fit stands.
  package mutating func fit(
    on data: inout FitData<some BatchSource>, from state: FitState? = nil,
    progress: (FitProgress) -> Void, onEpoch: (EpochLog) throws -> Void,
    betweenEpochs: (_ state: () -> FitState) throws -> Void = { _ in }
  ) throws -> FitResult {
    var result = FitResult()
    var callbacks = RunningCallbacks(settings.callbacks, settings.learningRate)
    if let state {
      precondition(state.suits(model.network, settings), "the state is another fit's")
      model.weights.restore(state.weights)
      optimizer.state = state.optimizer
      callbacks.resume(state)
      result.log = state.log
    }
    for epoch in result.log.count..<settings.epochs {
      callbacks.beginEpoch(epoch)
      let rate = callbacks.state.learningRate
      let trained = try train(
        &data.training, epoch: epoch, learningRate: rate, progress: progress)
      var log = EpochLog(epoch: epoch, values: trained.values)
      try measure(&data.validation, prefix: "val_", into: &log)
      try measure(&data.test, prefix: "test_", into: &log)
      // Keras's rate is a float32, and its logs have the shortest number that reads back as it.
      log.values["lr"] = Double("\(rate)") ?? Double(rate)
      if let statistics { log.layers = try statistics.epoch(model) }
      result.log.append(log)
      try onEpoch(log)
      callbacks.endEpoch(log, weights: model.weights)
      result.stoppedEarly = callbacks.state.stops
      result.fellShort = callbacks.fellShort
      result.terminatedOnNaN = !trained.isFinite
      if callbacks.state.stops || !trained.isFinite { break }
      if epoch + 1 < settings.epochs || settings.isContinued {
        try betweenEpochs { self.state(after: result.log, callbacks) }
      }
    }
    result.bestEpoch = callbacks.restore(model.weights)
    return result
  }

  private func state(after log: [EpochLog], _ callbacks: RunningCallbacks) -> FitState {
    FitState(
      log: log.map { EpochLog(epoch: $0.epoch, values: $0.values) },
      weights: model.weights.snapshot(), optimizer: optimizer.state, callbacks: callbacks.state,
      checkpoint: callbacks.checkpoint, earlyStopping: callbacks.earlyStopping)
  }

  private func measure(
    _ source: inout (some BatchSource)?, prefix: String, into log: inout EpochLog
  ) throws {
    guard var set = source else { return }
    defer { source = set }
    let measured = try Evaluation.run(
      model, loss: settings.loss, metrics: settings.metrics, batchSize: settings.batchSize,
      on: &set)
    log.values[prefix + "loss"] = measured.loss
    for (name, value) in measured.values { log.values[prefix + name] = value }
  }

  /// One epoch of steps: what it logs, and whether its loss stayed finite.
  private mutating func train(
    _ source: inout some BatchSource, epoch: Int, learningRate: Float,
    progress: (FitProgress) -> Void
  ) throws -> (values: [String: Double], isFinite: Bool) {
    try source.begin(epoch: epoch)
    statistics?.begin()
    let full = try model.program(batch: settings.batchSize, mode: .training)
    var labels = [Int32](repeating: 0, count: settings.batchSize)
    var measurement = Measurement(settings.metrics, loss: settings.loss, isTraining: true)
    var sum = 0.0
    var batch = 0
    while measurement.count < source.count {
      let count = try source.next(into: full.input, labels: &labels)
      guard count > 0 else { break }
      var program = full
      if count < settings.batchSize {
        program = try model.program(batch: count, mode: .training)
        program.input.update(from: full.input, count: count * model.network.layers[0].elements)
      }
      threads.begin(program)
      defer { threads.end() }
      // Keras logs the loss with its penalty, both of the weights before the step.
      let penalty = model.penalty
      let outcome = model.computeGradients(
        program, loss: settings.loss, labels: labels, place: (epoch, batch)
      ) { measurement.add(program, labels: labels, outcome: $0) }
      sum += outcome.sum + penalty * Double(count)
      guard sum.isFinite || settings.callbacks.terminatesOnNaN else {
        throw TrainingError.lossIsNotFinite(epoch: epoch, batch: batch)
      }
      statistics?.beforeUpdate(model.weights)
      optimizer.update(model.weights, learningRate: learningRate)
      statistics?.afterUpdate(model.weights)
      batch += 1
      progress(
        FitProgress(
          epoch: epoch + 1, epochs: settings.epochs, examplesDone: measurement.count,
          examples: source.count))
      // Keras stops after the step, with the weights that it left.
      if !sum.isFinite { break }
    }
    guard measurement.count > 0 else { throw TrainingError.noExamples }
    var values = measurement.values
    values["loss"] = sum / Double(measurement.count)
    return (values, sum.isFinite)
  }
}
