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
    let classes = network.outputShape.reduce(1, *)
    var predictions =
      "row,label,predicted," + (0..<classes).map { "p\($0)" }.joined(separator: ",") + "\n"
    let result = try Evaluation.run(
      model, loss: fields.loss.loss, batchSize: fields.batchSize, on: &source,
      visit: { row, output, label in
        var best = 0
        for index in 1..<classes where output[index] > output[best] { best = index }
        predictions += "\(row),\(label),\(best),"
        predictions += output.map { "\($0)" }.joined(separator: ",") + "\n"
      },
      progress: { done in
        report(StageEvent.Progress(message: "\(done) of \(images.count) images"))
      })
    try Files.writeAtomically(predictions, to: output("predictions.csv"))
    var metrics = BitCost(of: network, under: artifact.quantizers).metrics
    metrics["loss"] = .double(result.loss)
    metrics["accuracy"] = .double(result.accuracy)
    metrics["correct"] = .int(result.correct)
    metrics["images"] = .int(result.count)
    try finish(with: metrics)
  }
}
