//! What pretrain, fine_tune and the trials of a search share: a fit with its log and its progress.

import Experiments
import Files
import Glibc
import Networks
import Pipeline
import Records
import Tensors
import Training

extension TrainingFields {
  var settings: FitSettings {
    FitSettings(
      epochs: epochs, batchSize: batchSize, loss: loss.loss,
      adam: .init(beta1: optimizer.beta1, beta2: optimizer.beta2, epsilon: optimizer.epsilon),
      learningRate: learningRate.schedule,
      checkpoint: callbacks.modelCheckpoint.map {
        Monitor(column: $0.monitor.rawValue, wantsLess: $0.mode == .min)
      },
      earlyStopping: callbacks.earlyStopping.map {
        EarlyStopping(
          monitor: Monitor(column: $0.monitor.rawValue, wantsLess: $0.mode == .min),
          patience: $0.patience, minimumDelta: $0.minDelta,
          restoresBestWeights: $0.restoreBestWeights)
      })
  }
}

extension LossKind {
  var loss: Loss {
    switch self {
    case .sparseCategoricalCrossentropy: .sparseCategoricalCrossentropy
    }
  }
}

extension LearningRateFields {
  fileprivate var schedule: LearningRateSchedule {
    switch self {
    case .constant(let rate): .constant(rate)
    case .exponential(let initial, let decay): .exponential(initial: initial, decay: decay)
    case .piecewise(let steps):
      .piecewise(steps.map { .init(fromEpoch: $0.fromEpoch, rate: $0.rate) })
    }
  }
}

/// One fit: a model, its data, its log.
struct FitStage {
  let context: StageContext
  let network: Network
  let dataset: DatasetFields
  let training: TrainingFields
  let seed: Int
  /// Before the progress line: "trial 3 of 8".
  var label: String?

  /// Trains from `start`, writes log.csv to `folder` where the callbacks ask for it, and returns the
  /// kept weights with what the fit said.
  func run(
    _ start: WeightStore, quantizers: QuantizerMap, data: TrainingData, folder: String,
    on oneDNN: OneDNN
  ) throws -> FitResult {
    let model = Model(
      network, weights: start, quantizers: quantizers, l2: training.l2.map { Float($0) },
      on: oneDNN)
    var trainer = Trainer(model, training.settings)
    var source = data.trainingBatches(dataset, batchSize: training.batchSize, seed: seed)
    var validation = data.validationBatches(dataset, batchSize: training.batchSize)
    let path = training.callbacks.csvLogger ? folder + "/log.csv" : nil
    var log: CSVLog?
    var meter = ProgressMeter(label: label)
    return try trainer.fit(
      training: &source, validation: &validation,
      progress: { progress in
        if let line = meter.line(for: progress) { context.report(line) }
      },
      onEpoch: { epoch in
        guard let path else { return }
        // The first epoch says which columns there are.
        let file = try log ?? CSVLog(path: path, metrics: Array(epoch.values.keys))
        log = file
        try file.append(epoch: epoch.epoch, epoch.values)
      })
  }
}

/// Turns the fit loop's steps into a few lines a second.
struct ProgressMeter {
  let label: String?
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var last: ContinuousClock.Instant?

  init(label: String?) {
    self.label = label
    start = clock.now
  }

  /// Nil where the last line is younger than a quarter of a second.
  mutating func line(for progress: FitProgress) -> StageEvent.Progress? {
    let now = clock.now
    let isLast = progress.examplesDone == progress.examples
    if let last, now - last < .milliseconds(250), !isLast { return nil }
    last = now
    let seconds = (now - start) / .seconds(1)
    let done = (progress.epoch - 1) * progress.examples + progress.examplesDone
    let rate = seconds > 0 ? Double(done) / seconds : 0
    let left = Double(progress.epochs * progress.examples - done)
    return StageEvent.Progress(
      epoch: progress.epoch, epochs: progress.epochs, samplesPerSecond: rate,
      secondsLeft: rate > 0 ? left / rate : nil, message: label)
  }
}

extension FitResult {
  /// The kept epoch's log as metrics: epochs, epoch, loss, accuracy, val_loss, val_accuracy.
  var metrics: [String: JSONValue] {
    let kept = log.last { bestEpoch == nil || $0.epoch == bestEpoch }
    var metrics = (kept?.values ?? [:]).filter { $0.key != "lr" }.mapValues { JSONValue.double($0) }
    metrics["epochs"] = .int(log.count)
    metrics["epoch"] = kept.map { .int($0.epoch) }
    return metrics
  }
}
