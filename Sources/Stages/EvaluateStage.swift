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
    let data = try fields.dataset.loadTest(self)
    var metrics = BitCost(of: network, under: artifact.quantizers).metrics
    if let windows = fields.dataset.windows {
      try score(model, fields, windows, data, into: &metrics)
    } else {
      try predict(model, fields, data.part, into: &metrics)
    }
    try finish(with: metrics)
  }

  /// A prediction for each example.
  private func predict(
    _ model: Model, _ fields: EvaluateFields, _ part: ExamplePart,
    into metrics: inout [String: JSONValue]
  ) throws {
    let loss = fields.loss.loss
    let classes = model.network.outputShape.reduce(1, *)
    // An autoencoder's answer is how badly it rebuilds its input.
    var predictions =
      loss.classifies
      ? "row,label,predicted," + (0..<classes).map { "p\($0)" }.joined(separator: ",") + "\n"
      : "row,label,squared_error\n"
    let result = try measure(
      model, fields, part, metrics: fields.metrics, named: fields.dataset.kind.examples
    ) { example in
      predictions += "\(example.index),\(example.label),"
      if let error = example.squaredError {
        predictions += CSVLog.spelling(error) + "\n"
        return
      }
      var best = 0
      for index in 1..<classes where example.output[index] > example.output[best] { best = index }
      predictions += "\(best)," + example.output.map { "\($0)" }.joined(separator: ",") + "\n"
    }
    try Files.writeAtomically(predictions, to: output("predictions.csv"))
    add(result, to: &metrics)
    if loss.classifies { metrics["correct"] = .int(result.correct) }
    metrics[fields.dataset.kind.examples] = .int(result.count)
  }

  /// A score for each clip, from the errors of its windows.
  private func score(
    _ model: Model, _ fields: EvaluateFields, _ windows: WindowFields, _ data: TestData,
    into metrics: inout [String: JSONValue]
  ) throws {
    var scores = MachineScores(clips: data.clips)
    let examples = data.part.examples
    let rows = data.part.rows
    // Windows are not what is ranked: clips are.
    let result = try measure(
      model, fields, data.part, metrics: fields.metrics.filter { !$0.ranks }, named: "windows"
    ) { example in
      guard let error = example.squaredError else { return }
      scores.add(error, to: Int(examples.group(of: rows[example.index])))
    }
    add(result, to: &metrics)
    metrics["windows"] = .int(result.count)
    let maxFPR = fields.metrics.lazy.compactMap(\.maxFPR).first ?? MachineScores.benchmarkFPR
    for (name, text) in scores.files(machine: windows.machine ?? "machine", maxFPR: maxFPR) {
      try Files.writeAtomically(text, to: output(name))
    }
    metrics.merge(scores.metrics(maxFPR: maxFPR)) { $1 }
  }

  private func measure(
    _ model: Model, _ fields: EvaluateFields, _ part: ExamplePart, metrics: [MetricFields],
    named things: String, visit: (Evaluation.Example) throws -> Void
  ) throws -> Evaluation {
    var source = ExampleBatches(part, batchSize: fields.batchSize)
    return try Evaluation.run(
      model, loss: fields.loss.loss, metrics: metrics.map(\.metric), batchSize: fields.batchSize,
      on: &source, visit: visit,
      progress: { done in
        report(StageEvent.Progress(message: "\(done) of \(part.rows.count) \(things)"))
      })
  }

  private func add(_ result: Evaluation, to metrics: inout [String: JSONValue]) {
    metrics["loss"] = .double(result.loss)
    for (name, value) in result.values { metrics[name] = .double(value) }
  }
}

extension DatasetFields.Kind {
  /// What a data set's examples are called.
  fileprivate var examples: String {
    switch self {
    case .cifar10, .visualWakeWords: "images"
    case .dcase2020: "windows"
    case .speechCommands: "clips"
    }
  }
}

extension MetricFields {
  fileprivate var maxFPR: Double? {
    if case .partialAUC(let maxFPR) = self { maxFPR } else { nil }
  }
}
