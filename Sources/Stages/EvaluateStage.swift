//! The evaluate stage: a network on the test set, with every prediction on record.

import Datasets
import Experiments
import Files
import Networks
import Pipeline
import Records
import Tensors
import Training

extension StageContext {
  func evaluate() throws {
    let fields = try fields(EvaluateFields.self)
    let network = try fields.network.network()
    let artifact = try ModelArtifact(folder: input(InputRole.model), for: network)
    let weights = WeightStore(network: network)
    weights.tensors = artifact.weights
    let model = Model(
      network, weights: weights, quantizers: artifact.quantizers, l2: fields.l2.map { Float($0) },
      on: try fields.numerics.oneDNN())
    let images = try fields.dataset.loadTest(self)
    var source = ImageBatches(
      images, indices: Array(0..<images.count), batchSize: fields.batchSize,
      scale: Float(fields.dataset.scale))
    let loss = fields.loss.loss
    let classes = network.outputShape.reduce(1, *)
    // An autoencoder's answer is how badly it rebuilds its input.
    var predictions =
      loss.classifies
      ? "row,label,predicted," + (0..<classes).map { "p\($0)" }.joined(separator: ",") + "\n"
      : "row,label,squared_error\n"
    let result = try Evaluation.run(
      model, loss: loss, metrics: fields.metrics.map(\.metric), batchSize: fields.batchSize,
      on: &source,
      visit: { example in
        predictions += "\(example.index),\(example.label),"
        if let error = example.squaredError {
          predictions += CSVLog.spelling(error) + "\n"
          return
        }
        var best = 0
        for index in 1..<classes where example.output[index] > example.output[best] { best = index }
        predictions += "\(best)," + example.output.map { "\($0)" }.joined(separator: ",") + "\n"
      },
      progress: { done in
        report(StageEvent.Progress(message: "\(done) of \(images.count) images"))
      })
    try Files.writeAtomically(predictions, to: output("predictions.csv"))
    var metrics = BitCost(of: network, under: artifact.quantizers).metrics
    metrics["loss"] = .double(result.loss)
    for (name, value) in result.values { metrics[name] = .double(value) }
    if loss.classifies { metrics["correct"] = .int(result.correct) }
    metrics["images"] = .int(result.count)
    try finish(with: metrics)
  }
}
