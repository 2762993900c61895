//! Losses: a batch's value and its gradient. They know outputs and targets, not the network.

import CKernels
import Glibc
import Networks

/// What training minimises, in Keras's terms.
package enum Loss: String, Hashable, Sendable, CaseIterable {
  /// -log p[label] of a network that ends in a softmax.
  case sparseCategoricalCrossentropy = "sparse_categorical_crossentropy"
  /// The same of labels that Keras wants one-hot; ours are class numbers for both, so the numbers
  /// are the same too.
  case categoricalCrossentropy = "categorical_crossentropy"
  /// mean((y - x)^2) over the features: an autoencoder's target is its input.
  case meanSquaredError = "mse"

  /// Whether the target is the label; else it is the input.
  package var classifies: Bool { self != .meanSquaredError }

  /// The sum over the batch's samples of the loss, and the number of samples whose most probable
  /// class is their label.
  package struct Outcome: Hashable, Sendable {
    package var sum: Double = 0
    package var correct: Int = 0

    static func += (one: inout Outcome, other: Outcome) {
      one.sum += other.sum
      one.correct += other.correct
    }
  }

  /// Measures the program's last output; labels count where the loss has labels.
  package func outcome(of program: Program, labels: UnsafePointer<Int32>) -> Outcome {
    var outcome = Outcome()
    let width = program.network.outputShape.reduce(1, *)
    guard classifies else {
      withUnsafeTemporaryAllocation(of: Double.self, capacity: program.batch) { sums in
        guard let base = sums.baseAddress else { return }
        ck_squared_errors(program.input, program.output, program.batch, width, base)
        for sum in sums { outcome.sum += sum / Double(width) }
      }
      return outcome
    }
    for sample in 0..<program.batch {
      let y = program.output + sample * width
      var best = 0
      for j in 1..<width where y[j] > y[best] { best = j }
      let label = Int(labels[sample])
      // Keras clips probabilities at its epsilon where it has no logits.
      outcome.sum -= log(max(Double(y[label]), 1e-7))
      if best == label { outcome.correct += 1 }
    }
    return outcome
  }

  /// mean((y - x)^2) of one sample: what an autoencoder calls the sample's anomaly score.
  static func squaredError(of program: Program, sample: Int, width: Int) -> Double {
    var sum = 0.0
    ck_squared_errors(
      program.input + sample * width, program.output + sample * width, 1, width, &sum)
    return sum / Double(width)
  }

  /// Writes the gradient of the batch's mean loss to the program's `lossGradient`.
  package func writeGradient(to program: Program, labels: UnsafePointer<Int32>) {
    guard let gradient = program.lossGradient else { preconditionFailure("not a training program") }
    let width = program.network.outputShape.reduce(1, *)
    if classifies {
      // By the softmax's input: (p - onehot) / batch.
      let share = 1 / Float(program.batch)
      for index in 0..<(program.batch * width) { gradient[index] = program.output[index] * share }
      for sample in 0..<program.batch {
        gradient[sample * width + Int(labels[sample])] -= share
      }
    } else {
      let count = program.batch * width
      ck_error_gradient(program.input, program.output, 2 / Float(count), gradient, count)
    }
  }
}
