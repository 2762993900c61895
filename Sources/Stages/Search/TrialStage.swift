//! One trial in its process: a fit under its quantizers, and the metric that it is scored by. Knows
//! no other trial.

import Experiments
import Files
import Networks
import Pipeline
import Tensors
import Training

extension StageContext {
  /// Fills the output with the trained network. Bits too few to train with are an answer too: the
  /// worst one.
  func trial() throws {
    let fields = try fields(TrialFields.self)
    let network = try fields.network.network()
    let model = try ModelArtifact(folder: input(InputRole.model), for: network)
    let metric = try fields.training.trialMetric
    let weights = WeightStore(network: network)
    weights.tensors = model.weights
    let fit = FitStage(
      context: self, network: network, dataset: fields.dataset, training: fields.training,
      seed: fields.seed)
    let data = try fields.dataset.loadTraining(self, validates: true)
    let checkpoints = CheckpointFolder(
      path: task.checkpoint, kind: task.kind, version: task.version, note: note)
    var metrics: [String: JSONValue]
    do {
      let result = try fit.run(
        weights, quantizers: fields.quantizers, data: data, folder: task.output,
        checkpoints: checkpoints, on: fields.numerics.oneDNN())
      metrics = result.metrics
      // AutoQKeras's score of a trial is its best epoch's.
      let best = result.log.compactMap { $0.values[metric] }.filter { !$0.isNaN }.max()
      metrics[metric] = .double(best ?? 0)
    } catch let error as TrainingError {
      metrics = [metric: .double(0), "failure": .string("\(error)")]
    }
    try ModelArtifact(weights: weights.tensors, quantizers: fields.quantizers)
      .write(to: task.output, for: network)
    say(.metrics(.object(metrics)))
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
