//! What pretrain, fine_tune and the trials of a search share: a fit with its log and its progress.

import Datasets
import Experiments
import Files
import Networks
import Pipeline
import Tensors
import Training

/// One fit: a model, its data, its log.
struct FitStage {
  let context: StageContext
  let network: Network
  let dataset: DatasetFields
  let training: TrainingFields
  let seed: Int
  /// Before the progress line: "trial 3 of 8".
  var label: String?
  /// Where a fit that is hopeless ends.
  var floor: Floor?
  /// Whether a later fit of more epochs goes on from the checkpoint that this one leaves.
  var isContinued = false

  /// Trains from `start`, or from where a killed attempt left the fit in `checkpoints`, writes the
  /// callbacks' files to `folder`, and returns the kept weights with what the fit said.
  func run(
    _ start: WeightStore, quantizers: QuantizerMap, data: TrainingData, folder: String,
    checkpoints: CheckpointFolder, on oneDNN: OneDNN
  ) throws -> FitResult {
    // Dropout is the float network's: the thesis's quantized ones are trained without.
    let model = Model(
      network, weights: start, quantizers: quantizers, l2: training.l2.map { Float($0) },
      dropoutSeed: quantizers.isFloat ? UInt64(bitPattern: Int64(seed)) : nil, on: oneDNN)
    var settings = training.settings
    settings.callbacks.floor = floor
    settings.isContinued = isContinued
    var trainer = Trainer(model, settings)
    var sets = FitData(
      training: data.trainingBatches(batchSize: training.batchSize, seed: seed),
      validation: data.validationBatches(batchSize: training.batchSize),
      test: try testBatches())
    var checkpoints = checkpoints
    let left = checkpoints.load(for: network, settings, files: FitLogs.paths)
    var meter = ProgressMeter(label: label)
    if let left {
      try FitLogs.restore(left.files, to: folder)
      meter.resume(atEpoch: left.state.nextEpoch + 1)
      context.note("resumed at epoch \(left.state.nextEpoch + 1)")
    }
    var logs = FitLogs(training.callbacks, folder: folder)
    var epochsDone = left?.state.nextEpoch ?? 0
    return try trainer.fit(
      on: &sets, from: left?.state,
      progress: { progress in
        if let line = meter.line(for: progress) { context.report(line) }
      },
      onEpoch: { epoch in
        epochsDone += 1
        try logs.append(epoch, weights: start)
      },
      betweenEpochs: { state in
        checkpoints.keep(isDue: epochsDone == training.epochs) {
          FitCheckpoint(state: state(), files: try logs.files)
        }
      })
  }

  /// Nil where no epoch is measured on the test set.
  private func testBatches() throws -> ExampleBatches? {
    guard training.testMetrics else { return nil }
    return ExampleBatches(try dataset.loadTest(context).part, batchSize: training.batchSize)
  }
}

/// Turns the fit loop's steps into a few lines a second.
struct ProgressMeter {
  private(set) var label: String?
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var last: ContinuousClock.Instant?
  /// Epochs that an earlier process did.
  private var epochsBefore = 0

  init(label: String?) {
    self.label = label
    start = clock.now
  }

  mutating func resume(atEpoch epoch: Int) {
    epochsBefore = epoch - 1
    label = (label.map { "\($0), " } ?? "") + "resumed at epoch \(epoch)"
  }

  /// Nil where the last line is younger than a quarter of a second.
  mutating func line(for progress: FitProgress) -> StageEvent.Progress? {
    let now = clock.now
    let isLast = progress.examplesDone == progress.examples
    if let last, now - last < .milliseconds(250), !isLast { return nil }
    last = now
    let seconds = (now - start) / .seconds(1)
    let done =
      (progress.epoch - 1 - epochsBefore) * progress.examples + progress.examplesDone
    let rate = seconds > 0 ? Double(done) / seconds : 0
    let left = Double((progress.epochs - epochsBefore) * progress.examples - done)
    return StageEvent.Progress(
      epoch: progress.epoch, epochs: progress.epochs, samplesPerSecond: rate,
      secondsLeft: rate > 0 ? left / rate : nil, message: label)
  }
}

extension FitResult {
  /// The kept epoch's log as metrics: epochs, epoch, loss, accuracy, val_loss, val_accuracy, ...
  var metrics: [String: JSONValue] {
    let kept = log.last { bestEpoch == nil || $0.epoch == bestEpoch }
    var metrics = (kept?.values ?? [:]).filter { $0.key != "lr" }.mapValues { JSONValue.double($0) }
    metrics["epochs"] = .int(log.count)
    metrics["epoch"] = kept.map { .int($0.epoch) }
    if terminatedOnNaN { metrics["terminated_on_nan"] = .bool(true) }
    return metrics
  }
}
