//! The `dataset` section of kind speech_commands: folders, split, features, noise.

import Diagnostics
import Specs

extension DatasetSpec {
  private static let wordClasses = 12

  mutating func readWords(_ section: inout Section) {
    let tree = Self.folder("root", &section)
    (root, rootPath) = (tree?.node, tree?.path)
    let testTree = Self.folder("test_root", &section)
    let features = Self.folder("test_features", &section)
    if let testTree, features != nil {
      section.faults.add(
        testTree.node.diagnostic("the test set is `test_root` or `test_features`, not both"))
    }
    let split = readSplit(&section)
    let mfcc = Self.features(&section)
    readNoise(&section)
    fields.mfcc = mfcc
    fields.synthetic = Self.synthetic(
      &section, of: "clips", training: 2400, test: 600, isUsed: fields.source == .synthetic)
    (exampleShape, classes) = ([mfcc.frames, mfcc.coefficients, 1], Self.wordClasses)
    if let features, mfcc.frames != 49 || mfcc.coefficients != 10 {
      section.faults.add(
        features.node.diagnostic(
          "ready-made features are 49x10, and dataset.features gives "
            + "\(mfcc.frames)x\(mfcc.coefficients)"))
    }

    var training = DataPreparation.Part(fields: preparing(.training))
    var test = DataPreparation.Part(fields: preparing(.test))
    training.fields.mfcc = mfcc
    training.fields.words = split
    training.fields.words?.keepsSamples = fields.noise != nil
    let lack = noFolder(section, "root", example: "speech_commands_v0.02")
    if fields.source == .real {
      training.folders = Self.folders("tree", tree)
      if training.folders.isEmpty { training.lack = lack }
    } else {
      training.fields.words?.forgetTree()
    }
    test.fields.mfcc = mfcc
    test.fields.words = split
    if fields.source == .synthetic {
      test.fields.words?.forgetTree()
      test.fields.words?.validation = nil
    } else if let features {
      test.fields.layout = .features
      (test.fields.mfcc, test.fields.words) = (nil, nil)
      test.folders = Self.folders("features", features)
    } else if let testTree {
      test.fields.layout = .folders
      test.fields.words?.forgetTree()
      test.fields.words?.validation = nil
      test.folders = Self.folders("folders", testTree)
    } else {
      test.folders = Self.folders("tree", tree)
      if test.folders.isEmpty { test.lack = lack }
    }
    preparation = DataPreparation(training: training, test: test)
  }

  private static func folders(
    _ role: String, _ folder: (path: String, node: Node)?
  ) -> [DataPreparation.Folder] {
    folder.map { [.init(role: role, path: $0.path, node: $0.node)] } ?? []
  }

  private mutating func readSplit(_ section: inout Section) -> WordsFields {
    var words = WordsFields(
      by: .lists, seed: 42, silence: 0.1, unknown: 0.1, keepsSamples: false)
    var validation = 0.1
    if var child = section.section("split", in: "dataset.split") {
      let by = child.choice("by", of: WordsFields.By.self, default: .lists)
      words.by = by
      validation = child.double("validation", in: 0...0.9, default: 0.1)
      let testing = child.double("testing", in: 0...0.9, default: 0.1)
      if validation + testing > 0.95 {
        child.faults.add(child.node.diagnostic("validation and testing leave nothing to train on"))
      }
      if by == .hash { (words.validation, words.testing) = (validation, testing) }
      if by == .lists, fields.source == .real {
        child.warnIdle(["validation", "testing"], why: "lists divide the clips")
      }
      words.seed = child.int("seed", in: 0...Int.max, default: 42)
      words.silence = child.double("silence", in: 0...1, default: 0.1)
      words.unknown = child.double("unknown", in: 0...1, default: 0.1)
      child.rejectUnknownKeys()
      section.adopt(child, at: "split")
    }
    // Of made clips a share validates; the lists' share is theirs.
    fields.split = SplitFields(
      validation: words.by == .hash || fields.source == .synthetic ? validation : 0.1,
      seed: words.seed)
    if fields.source == .synthetic { words.validation = validation }
    return words
  }

  private enum MFCCKind: String, CaseIterable { case mfcc }

  private static func features(_ section: inout Section) -> MFCCFields {
    var fields = MFCCFields(windowMs: 30, strideMs: 20, melBins: 40, coefficients: 10)
    guard var child = section.section("features", in: "dataset.features") else { return fields }
    _ = child.choice("kind", of: MFCCKind.self, default: .mfcc)
    fields.windowMs = child.double("window_ms", in: 1...250, default: 30)
    fields.strideMs = child.double("stride_ms", in: 1...500, default: 20)
    fields.melBins = child.int("mel_bins", in: 4...128, default: 40)
    fields.coefficients = child.int("coefficients", in: 1...128, default: 10)
    if fields.coefficients > fields.melBins {
      child.faults.add(
        (child.node("coefficients") ?? child.node).diagnostic(
          "\(fields.coefficients) coefficients of \(fields.melBins) mel bins are too many"))
      fields.coefficients = fields.melBins
    }
    child.rejectUnknownKeys()
    section.adopt(child, at: "features")
    return fields
  }

  private mutating func readNoise(_ section: inout Section) {
    guard var augment = section.section("augment", in: "dataset.augment") else { return }
    if var child = augment.section("background_noise", in: "dataset.augment.background_noise") {
      let noise = NoiseFields(
        probability: child.double("probability", in: 0...1, default: 0.8),
        volumeMax: child.double("volume_max", in: 0...1, default: 0.1),
        draw: child.choice("draw", of: NoiseFields.Draw.self, default: .everyEpoch))
      child.rejectUnknownKeys()
      augment.adopt(child, at: "background_noise")
      // Noise that is never there is none: one spelling, one key.
      fields.noise = noise.probability == 0 || noise.volumeMax == 0 ? nil : noise
    }
    augment.rejectUnknownKeys()
    section.adopt(augment, at: "augment")
  }
}

extension WordsFields {
  /// Leaves out what only a tree of words has.
  fileprivate mutating func forgetTree() {
    (by, testing, silence, unknown) = (nil, nil, nil, nil)
  }
}
