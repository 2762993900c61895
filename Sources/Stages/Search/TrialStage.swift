//! One trial in its process: a fit under its quantizers, and the metric that it is scored by. Knows
//! no other trial.

import Experiments
import Files
import Networks
import Pipeline
import Records
import Tensors
import Training

extension StageContext {
  /// Fills the output with the trained network. Bits too few to train with are an answer too: the
  /// worst one.
  func trial() throws {
    let fields = try fields(TrialFields.self)
    let network = try fields.network.network()
    let metric = try fields.training.trialMetric
    let weights = WeightStore(network: network)
    if fields.transfersWeights {
      weights.tensors = try ModelArtifact(folder: input(InputRole.model), for: network).weights
    } else {
      weights.initialize(seed: UInt64(bitPattern: Int64(fields.seed)))
    }
    var fit = FitStage(
      context: self, network: network, dataset: fields.dataset, training: fields.training,
      seed: fields.seed)
    fit.floor = fields.floor.map {
      Floor(column: metric, fromEpoch: $0.afterEpochs - 1, values: $0.values)
    }
    fit.isContinued = task.unkeyed[TrialPool.continued] == .bool(true)
    let data = try fields.dataset.loadTraining(self, validates: true)
    let checkpoints = CheckpointFolder(
      path: task.checkpoint, kind: task.kind, version: task.version, note: note)
    var metrics: [String: JSONValue]
    do {
      let result = try fit.run(
        weights, quantizers: fields.quantizers, data: data, folder: task.output,
        checkpoints: checkpoints, on: fields.numerics.oneDNN())
      metrics = result.metrics
      let values = result.log.map { $0.values[metric] ?? .nan }
      // AutoQKeras's score of a trial is its best epoch's.
      metrics[metric] = .double(values.filter { !$0.isNaN }.max() ?? 0)
      metrics[TrialMetrics.byEpoch] = .array(values.map { .double($0) })
      if result.fellShort { metrics[TrialMetrics.stopped] = .bool(true) }
    } catch let error as TrainingError {
      metrics = [metric: .double(0), "failure": .string("\(error)")]
    }
    try ModelArtifact(weights: weights.tensors, quantizers: fields.quantizers)
      .write(to: task.output, for: network)
    say(.metrics(Metrics.spellable(.object(metrics))))
  }
}

extension TrainingFields {
  /// The log's column that trials are scored by: "val_accuracy".
  var trialMetric: String {
    get throws {
      guard let scored = scoreMetric else {
        throw StageError.wrongTask("a search without a metric")
      }
      return MonitorKind(validating: scored).rawValue
    }
  }
}
