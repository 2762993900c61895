//! The `dataset` section of an experiment, and what of it a training or an evaluating stage sees.
//! Knows no field that one kind alone has but images': each other kind has a file of its own.

import Diagnostics
import Specs

/// The experiment's data, both parts.
struct DatasetSpec {
  var fields: DatasetFields
  /// The folder of the files, and where the user wrote it.
  var root: Node?
  var rootPath: String?
  /// The rows of CIFAR-10's test set that test; nil: all.
  var testIndex: (path: String, node: Node)?
  /// How the parts are prepared; nil where stages read the files themselves.
  var preparation: DataPreparation?
  /// Extents of an example, as its network reads them.
  var exampleShape: [Int]
  /// nil where examples have no classes to tell apart.
  var classes: Int?
  var locations: [String: SourceLocation] = [:]
  /// Of the section.
  var location: SourceLocation?

  init(_ section: inout Section) {
    let kind = section.choice("kind", of: DatasetFields.Kind.self)
    let source = section.choice("source", of: DatasetFields.Source.self, default: .real)
    fields = DatasetFields(
      source: source, kind: kind, scale: 1, split: SplitFields(validation: 0.1, seed: 42))
    (exampleShape, classes) = ([32, 32, 3], 10)
    location = section.node.location
    switch kind {
    case .cifar10: readImages(&section)
    case .dcase2020: readMachineSounds(&section)
    case .speechCommands: readWords(&section)
    case .visualWakeWords: readWakeWords(&section)
    }
    if var child = section.section("subset", in: "dataset.subset") {
      fields.subset = SubsetFields(&child, withTest: true)
      section.adopt(child, at: "subset")
    }
    section.rejectUnknownKeys()
    locations = section.locations
    for key in ["root", "test_root", "test_features", "test_index"] { locations[key] = nil }
  }

  private mutating func readImages(_ section: inout Section) {
    root = section.node("root")
    rootPath = section.optionalString("root")
    // Pickles are what no key names.
    let format = section.choice("format", of: DatasetFields.Format.self, default: .python)
    fields.format = format == .python || fields.source == .synthetic ? nil : format
    testIndex = Self.folder("test_index", &section)
    fields.scale = section.double("scale", in: 1e-9...1e9, default: 1)
    if fields.source == .real, root == nil {
      section.faults.add(
        section.node.diagnostic(
          "dataset needs `root`, the folder of its files",
          suggestion: "write `root: ${data}/cifar-10-batches-py`, or `source: synthetic`"))
    }
    readImageSplit(&section)
    readAugment(&section)
    fields.synthetic = Self.synthetic(
      &section, of: "images", training: 10_000, test: 1_000, isUsed: fields.source == .synthetic)
  }

  /// A share of the training set that is drawn.
  mutating func readImageSplit(_ section: inout Section) {
    guard var child = section.section("split", in: "dataset.split") else { return }
    fields.split = SplitFields(
      validation: child.double("validation", in: 0...0.9, default: 0.1),
      seed: child.int("seed", in: 0...Int.max, default: 42))
    child.rejectUnknownKeys()
    section.adopt(child, at: "split")
  }

  mutating func readAugment(_ section: inout Section) {
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

  /// The `synthetic` section, with `training_THINGS` and `test_THINGS`; nil where it is not used.
  static func synthetic(
    _ section: inout Section, of things: String, training: Int, test: Int, isUsed: Bool
  ) -> SyntheticFields? {
    var synthetic = SyntheticFields(trainingImages: training, testImages: test, seed: 1)
    if var child = section.section("synthetic", in: "dataset.synthetic") {
      synthetic.trainingImages = child.int(
        "training_\(things)", in: 10...1_000_000, default: training)
      synthetic.testImages = child.int("test_\(things)", in: 1...1_000_000, default: test)
      synthetic.seed = child.int("seed", in: 0...Int.max, default: 1)
      child.rejectUnknownKeys()
      section.adopt(child, at: "synthetic")
    }
    return isUsed ? synthetic : nil
  }

  /// What a stage that trains sees.
  func training(subset: SubsetFields?, augments: Bool) -> DatasetFields {
    var part = fields
    part.synthetic?.testImages = nil
    part.windows?.machine = nil
    if let subset { part.subset = subset }
    part.subset?.test = nil
    if part.subset == SubsetFields() { part.subset = nil }
    if !augments {
      part.augment = nil
      part.noise = nil
    }
    // Features of prepared samples are made when they are read, with noise or without.
    if fields.noise == nil { part.mfcc = nil }
    if preparation != nil { part.forgetFiles() }
    return part
  }

  /// What a stage that evaluates sees.
  var test: DatasetFields {
    var part = fields
    part.split = nil
    part.augment = nil
    part.noise = nil
    part.mfcc = nil
    part.synthetic?.trainingImages = nil
    part.subset = fields.subset?.test.map { SubsetFields(test: $0) }
    if preparation != nil { part.forgetFiles() }
    return part
  }
}

extension DatasetFields {
  /// Names of the files that a stage reads itself, below the data set's root.
  package func files(training: Bool) -> [String] {
    switch kind {
    case .cifar10:
      (training ? (1...5).map { "data_batch_\($0)" } : ["test_batch"]).map {
        format == .binary ? $0 + ".bin" : $0
      }
    case .dcase2020, .speechCommands, .visualWakeWords: []
    }
  }

  /// Leaves out what the stage that prepares the data has settled: it comes with the artifact.
  fileprivate mutating func forgetFiles() {
    source = .real
    synthetic = nil
    if kind == .speechCommands { split = nil }
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
