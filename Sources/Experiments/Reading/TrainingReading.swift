//! Sections that say how to train: `training` and those that override it, field by field.

import Diagnostics
import Specs

/// What one section says about training; nil: says nothing.
struct TrainingSection {
  var epochs: Int?
  var batchSize: Int?
  var optimizer: OptimizerFields?
  var learningRate: LearningRateFields?
  var loss: LossKind?
  var metrics: [MetricFields]?
  var l2: Double?
  var callbacks: CallbacksFields?
  var testMetrics: Bool?
  /// Whether training images are augmented, where the data set says how.
  var augment: Bool?
  var subset: SubsetFields?
  /// By field path, and `augment` and `subset.training`.
  var locations: [String: SourceLocation] = [:]
  /// What faults between fields point at: `loss`, `metrics`, `callbacks.early_stopping`.
  var nodes: [String: Node] = [:]

  init() {}

  /// Reads the keys of training from `section`, and leaves its other keys to the caller.
  init(_ section: inout Section) {
    epochs = section.optionalInt("epochs", in: 1...100_000)
    batchSize = section.optionalInt("batch_size", in: 1...65_536)
    optimizer = OptimizerFields(&section, at: "optimizer")
    learningRate = LearningRateFields(&section, at: "learning_rate")
    loss = LossKind(&section, at: "loss")
    metrics = MetricFields.list(&section, at: "metrics")
    for key in ["loss", "metrics", "learning_rate"] { nodes[key] = section.node[key] }
    l2 = section.optionalDouble("l2", in: 0...1e6)
    callbacks = CallbacksFields(&section, at: "callbacks", nodes: &nodes)
    testMetrics = section.optionalBool("test_metrics")
    augment = section.optionalBool("augment")
    if var child = section.section("subset", in: "subset") {
      subset = SubsetFields(&child, withTest: false)
      section.adopt(child, at: "subset")
    }
    locations = section.locations
  }

  /// This section's fields, and `other`'s where this says nothing.
  func overriding(_ other: TrainingSection) -> TrainingSection {
    if locations.isEmpty { return other }
    if other.locations.isEmpty { return self }
    var merged = self
    merged.epochs = epochs ?? other.epochs
    merged.batchSize = batchSize ?? other.batchSize
    merged.optimizer = optimizer ?? other.optimizer
    merged.learningRate = learningRate ?? other.learningRate
    merged.loss = loss ?? other.loss
    merged.metrics = metrics ?? other.metrics
    merged.l2 = l2 ?? other.l2
    merged.callbacks = callbacks ?? other.callbacks
    merged.testMetrics = testMetrics ?? other.testMetrics
    merged.augment = augment ?? other.augment
    merged.subset = subset ?? other.subset
    // A place inside a field that was replaced as a whole no longer says anything.
    let replaced = Set(locations.keys.map(Self.head))
    merged.locations.merge(other.locations.filter { !replaced.contains(Self.head($0.key)) }) {
      mine, _ in mine
    }
    merged.nodes.merge(other.nodes.filter { !replaced.contains(Self.head($0.key)) }) { mine, _ in
      mine
    }
    return merged
  }

  private static func head(_ path: String) -> Substring { path.prefix { $0 != "." && $0 != "[" } }

  /// The fields, with defaults for what nobody said; `epochs` has none.
  func fields(epochs: Int) -> TrainingFields {
    let loss = loss ?? .sparseCategoricalCrossentropy
    return TrainingFields(
      epochs: epochs, batchSize: batchSize ?? 32, optimizer: optimizer ?? .adam,
      learningRate: learningRate ?? .constant(0.001), loss: loss,
      metrics: metrics ?? (loss == .meanSquaredError ? [] : [.accuracy]), l2: l2,
      callbacks: callbacks ?? CallbacksFields(csvLogger: true),
      testMetrics: testMetrics ?? false)
  }
}
