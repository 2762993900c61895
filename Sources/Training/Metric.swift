//! Metrics besides the loss: what they are called and how an epoch's outputs add up to them. Knows
//! no data set.

import Glibc
import Networks
import Tensors

/// What is measured on a set besides the loss.
package enum Metric: Hashable, Sendable {
  /// The share of examples whose most probable class is their label.
  case accuracy
  /// The area under the ROC curve: of p[1] where the network has two classes, of its one output
  /// where it has one, of each example's loss under `mse` (an anomaly is what an autoencoder
  /// rebuilds badly; labels other than 0 are anomalies).
  case auc
  /// The standardised area up to a false positive rate.
  case partialAUC(maxFPR: Double)
  /// AutoQKeras wants a metric in 0...1 that grows: 1 / (1 + loss^10), of the epoch's mean loss
  /// without its penalty (thesis, section on the autoencoder).
  case autoQKeras

  /// The column's name in logs; `val_` or `test_` goes before it.
  package var name: String {
    switch self {
    case .accuracy: "accuracy"
    case .auc: "auc"
    case .partialAUC: "p_auc"
    case .autoQKeras: "autoqkeras"
    }
  }

  /// Whether the metric has a value on what a network is trained on: an autoencoder sees normal
  /// examples alone.
  func appliesToTraining(under loss: Loss) -> Bool {
    switch self {
    case .auc, .partialAUC: loss.classifies
    case .accuracy, .autoQKeras: true
    }
  }
}

/// A set's outputs while they pass.
struct Measurement {
  let loss: Loss
  let metrics: [Metric]
  private(set) var outcome = Loss.Outcome()
  private(set) var count = 0
  private var scores: [Double] = []
  private var labels: [Bool] = []
  private let ranks: Bool

  /// - Parameter isTraining: leaves out metrics that have no value on a training set.
  init(_ metrics: [Metric], loss: Loss, isTraining: Bool) {
    self.loss = loss
    self.metrics = metrics.filter { !isTraining || $0.appliesToTraining(under: loss) }
    ranks = self.metrics.contains { metric in
      switch metric {
      case .auc, .partialAUC: true
      case .accuracy, .autoQKeras: false
      }
    }
  }

  /// Takes in the batch that stands in the program's output.
  mutating func add(
    _ program: Program, labels batchLabels: UnsafePointer<Int32>, outcome batch: Loss.Outcome
  ) {
    outcome += batch
    count += program.batch
    guard ranks else { return }
    let width = program.network.outputShape.reduce(1, *)
    for sample in 0..<program.batch {
      labels.append(batchLabels[sample] != 0)
      scores.append(
        loss.classifies
          ? Double(program.output[sample * width + min(width, 2) - 1])
          : Loss.squaredError(of: program, sample: sample, width: width))
    }
  }

  /// The mean loss without a penalty.
  var meanLoss: Double { outcome.sum / Double(count) }

  /// By the metric's name.
  var values: [String: Double] {
    guard !metrics.isEmpty else { return [:] }
    let curve = ROCCurve(scores: scores, labels: labels)
    return metrics.reduce(into: [:]) { values, metric in
      values[metric.name] =
        switch metric {
        case .accuracy: Double(outcome.correct) / Double(count)
        case .auc: curve.area
        case .partialAUC(let maxFPR): curve.standardizedArea(upTo: maxFPR)
        case .autoQKeras: 1 / (1 + pow(meanLoss, 10))
        }
    }
  }
}
