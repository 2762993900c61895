//! The `dataset` section of an experiment, and what of it a training or an evaluating stage sees.

import Diagnostics
import Specs

/// The experiment's data, both parts.
struct DatasetSpec {
  var fields: DatasetFields
  /// The folder of the files, and where the user wrote it.
  var root: Node?
  var rootPath: String?
  var locations: [String: SourceLocation] = [:]

  init(_ section: inout Section) {
    let kind = section.choice("kind", of: DatasetFields.Kind.self)
    let source = section.choice("source", of: DatasetFields.Source.self, default: .real)
    root = section.node("root")
    rootPath = section.optionalString("root")
    fields = DatasetFields(
      source: source, kind: kind, scale: section.double("scale", in: 1e-9...1e9, default: 1),
      split: SplitFields(validation: 0.1, seed: 42))
    if source == .real, root == nil {
      section.faults.add(
        section.node.diagnostic(
          "dataset needs `root`, the folder of its files",
          suggestion: "write `root: ${data}/cifar-10-batches-py`, or `source: synthetic`"))
    }
    readSplit(&section)
    readAugment(&section)
    readSynthetic(&section)
    if var child = section.section("subset", in: "dataset.subset") {
      fields.subset = SubsetFields(&child, withTest: true)
      section.adopt(child, at: "subset")
    }
    section.rejectUnknownKeys()
    locations = section.locations
    locations["root"] = nil
  }

  private mutating func readSplit(_ section: inout Section) {
    guard var child = section.section("split", in: "dataset.split") else { return }
    fields.split = SplitFields(
      validation: child.double("validation", in: 0...0.9, default: 0.1),
      seed: child.int("seed", in: 0...Int.max, default: 42))
    child.rejectUnknownKeys()
    section.adopt(child, at: "split")
  }

  private mutating func readAugment(_ section: inout Section) {
    guard var child = section.section("augment", in: "dataset.augment") else { return }
    let augment = AugmentFields(
      rotationDegrees: child.double("rotation_degrees", in: 0...180, default: 0),
      shift: child.double("shift", in: 0...1, default: 0),
      zoom: child.double("zoom", in: 0...0.99, default: 0),
      horizontalFlip: child.bool("horizontal_flip", default: false))
    child.rejectUnknownKeys()
    section.adopt(child, at: "augment")
    // Varying nothing is not augmenting: one spelling, one key.
    let isIdle =
      augment.rotationDegrees == 0 && augment.shift == 0 && augment.zoom == 0
      && !augment.horizontalFlip
    fields.augment = isIdle ? nil : augment
  }

  private mutating func readSynthetic(_ section: inout Section) {
    var synthetic = SyntheticFields(trainingImages: 10_000, testImages: 1_000, seed: 1)
    if var child = section.section("synthetic", in: "dataset.synthetic") {
      synthetic.trainingImages = child.int("training_images", in: 10...1_000_000, default: 10_000)
      synthetic.testImages = child.int("test_images", in: 1...1_000_000, default: 1_000)
      synthetic.seed = child.int("seed", in: 0...Int.max, default: 1)
      child.rejectUnknownKeys()
      section.adopt(child, at: "synthetic")
    }
    fields.synthetic = fields.source == .synthetic ? synthetic : nil
  }

  /// What a stage that trains sees.
  func training(subset: SubsetFields?, augments: Bool) -> DatasetFields {
    var part = fields
    part.synthetic?.testImages = nil
    if let subset { part.subset = subset }
    part.subset?.test = nil
    if part.subset == SubsetFields() { part.subset = nil }
    if !augments { part.augment = nil }
    return part
  }

  /// What a stage that evaluates sees.
  var test: DatasetFields {
    var part = fields
    part.split = nil
    part.augment = nil
    part.synthetic?.trainingImages = nil
    part.subset = fields.subset?.test.map { SubsetFields(test: $0) }
    return part
  }
}

extension DatasetFields {
  /// Names of the files that a stage reads, below the data set's root.
  static func files(of kind: Kind, training: Bool) -> [String] {
    switch kind {
    case .cifar10: training ? (1...5).map { "data_batch_\($0)" } : ["test_batch"]
    }
  }
}

extension SubsetFields {
  init(_ section: inout Section, withTest: Bool) {
    training = section.optionalInt("training", in: 1...100_000_000)
    validation = section.optionalInt("validation", in: 0...100_000_000)
    if withTest { test = section.optionalInt("test", in: 1...100_000_000) }
    section.rejectUnknownKeys()
  }
}
