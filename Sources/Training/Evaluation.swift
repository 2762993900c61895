//! A model measured on a set: loss, metrics, and each example to whoever looks. Trains nothing.

import Networks
import Tensors

/// What a set says about a model.
package struct Evaluation: Sendable {
  /// Mean loss with the penalty, as Keras's evaluate reports it.
  package var loss: Double
  /// By the metric's name.
  package var values: [String: Double]
  /// Examples whose most probable class is their label.
  package var correct: Int
  package var count: Int

  /// One example that was measured.
  package struct Example {
    /// In the source's order.
    package let index: Int
    package let label: Int32
    package let output: UnsafeBufferPointer<Float>
    /// mean((output - input)^2); nil where the loss is of labels.
    package let squaredError: Double?
  }

  /// - Parameter visit: is shown each example.
  package static func run(
    _ model: Model, loss: Loss, metrics: [Metric] = [.accuracy], batchSize: Int,
    on source: inout some BatchSource, visit: (Example) throws -> Void = { _ in },
    progress: (Int) -> Void = { _ in }
  ) throws -> Evaluation {
    try source.begin(epoch: 0)
    let full = try model.program(batch: batchSize, mode: .inference)
    full.prepare()
    var labels = [Int32](repeating: 0, count: batchSize)
    var measurement = Measurement(metrics, loss: loss, isTraining: false)
    let width = model.network.outputShape.reduce(1, *)
    while measurement.count < source.count {
      let first = measurement.count
      let count = try source.next(into: full.input, labels: &labels)
      guard count > 0 else { break }
      var program = full
      if count < batchSize {
        program = try model.program(batch: count, mode: .inference)
        program.prepare()
        program.input.update(from: full.input, count: count * model.network.layers[0].elements)
      }
      program.forward()
      measurement.add(
        program, labels: labels, outcome: loss.outcome(of: program, labels: labels))
      for sample in 0..<count {
        try visit(
          Example(
            index: first + sample, label: labels[sample],
            output: UnsafeBufferPointer(start: program.output + sample * width, count: width),
            squaredError: loss.classifies
              ? nil : Loss.squaredError(of: program, sample: sample, width: width)))
      }
      progress(measurement.count)
    }
    guard measurement.count > 0 else { throw TrainingError.noExamples }
    return Evaluation(
      loss: measurement.meanLoss + model.penalty, values: measurement.values,
      correct: measurement.outcome.correct, count: measurement.count)
  }
}
