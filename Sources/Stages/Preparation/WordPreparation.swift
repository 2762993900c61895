//! Spoken words, prepared: training clips as samples or features, what validates and tests as
//! features, noise beside them.

import Datasets
import Experiments
import Pipeline

extension StageContext {
  func prepareWords(_ fields: PrepareDataFields, threads: Int) throws -> PreparedContents {
    let writer = PreparedWriter(
      folder: task.output, classes: WordTree.classNames, threads: threads)
    if fields.layout == .features {
      let ready = try ReadyMadeWords(input(InputRole.dataset("features")))
      try writer.write(
        WordBlock.test, .float32, rowShape: ReadyMadeWords.shape, clips: ready.clips,
        makeWorker: { { ready.rows(of: $0) } })
      return try writer.finish()
    }
    guard let mfcc = fields.mfcc, let words = fields.words else {
      throw StageError.wrongTask("words without features")
    }
    let preparation = WordPreparation(
      context: self, writer: writer, features: WordFeatures(mfcc.parameters), words: words)
    if let synthetic = fields.synthetic {
      try preparation.writeMade(synthetic, part: fields.part)
    } else if fields.layout == .folders {
      let clips = try WordTree.classFolders(input(InputRole.dataset("folders")))
      try preparation.write(features: clips, to: WordBlock.test, noise: [])
    } else {
      try preparation.writeTree(input(InputRole.dataset("tree")), part: fields.part)
    }
    return try writer.finish()
  }
}

/// Blocks of prepared words besides `NoisyWords.block` and `NoiseRecording.block`.
enum WordBlock {
  static let training = "training"
  static let validation = "validation"
  static let test = "test"
}

private struct WordPreparation {
  let context: StageContext
  let writer: PreparedWriter
  let features: WordFeatures
  let words: WordsFields

  var seed: UInt64 { UInt64(bitPattern: Int64(words.seed)) }

  func writeTree(_ root: String, part: PrepareDataFields.Part) throws {
    let tree = try WordTree(root, divided: words.division)
    let noise = try NoiseRecording.all(in: root)
    func clips(_ part: WordPart) throws -> [WordClip] {
      try tree.clips(
        of: part, silence: words.silence ?? 0, unknown: words.unknown ?? 0, noise: noise,
        seed: seed)
    }
    guard part == .training else {
      let test = try clips(.testing)
      guard !test.isEmpty else {
        throw DatasetError.folder(path: root, .nothingInPart("testing"))
      }
      return try write(features: test, to: WordBlock.test, noise: noise)
    }
    let missing = tree.missingKeywords(in: .training)
    guard missing.isEmpty else {
      throw DatasetError.folder(path: root, .missingClasses(missing))
    }
    let training = try clips(.training)
    if words.keepsSamples {
      guard !noise.isEmpty else { throw DatasetError.folder(path: root, .noNoise) }
      try write(samples: training.map(\.prepared)) { try training[$0].samples(noise: noise) }
      try write(noise: noise)
    } else {
      try write(features: training, to: WordBlock.training, noise: noise)
    }
    try write(features: clips(.validation), to: WordBlock.validation, noise: noise)
  }

  /// Made clips: a share of the training part validates, from speakers of its own.
  func writeMade(_ fields: SyntheticFields, part: PrepareDataFields.Part) throws {
    let seed = UInt64(bitPattern: Int64(fields.seed))
    guard part == .training else {
      let test = MadeWords(fields.testImages ?? 0, stream: .test, seed: seed)
      return try write(features: test.clips, to: WordBlock.test, samples: test.samples)
    }
    let count = fields.trainingImages ?? 0
    let held = Int((Double(count) * (words.validation ?? 0)).rounded())
    let training = MadeWords(count - held, stream: .training, seed: seed)
    if words.keepsSamples {
      try write(samples: training.clips, training.samples)
      try write(noise: NoiseRecording.made(seed: seed))
    } else {
      try write(features: training.clips, to: WordBlock.training, samples: training.samples)
    }
    let validation = MadeWords(held, stream: .validation, seed: seed)
    try write(
      features: validation.clips, to: WordBlock.validation, samples: validation.samples)
  }

  func write(features clips: [WordClip], to block: String, noise: [NoiseRecording]) throws {
    try write(features: clips.map(\.prepared), to: block) { try clips[$0].samples(noise: noise) }
  }

  func write(
    features clips: [PreparedClip], to block: String,
    samples: @escaping @Sendable (Int) throws -> [Int16]
  ) throws {
    let features = features
    try writer.write(
      block, .float32, rowShape: features.shape, clips: clips,
      makeWorker: {
        let transform = features.makeTransform()
        return { transform(try samples($0)) }
      },
      progress: context.clipProgress(block, of: clips.count))
  }

  /// Whole clips, for `NoisyWords`.
  func write(
    samples clips: [PreparedClip], _ samples: @escaping @Sendable (Int) throws -> [Int16]
  ) throws {
    try writer.write(
      NoisyWords.block, .int16, rowShape: [WordTree.clipLength], clips: clips,
      makeWorker: {
        { index in
          var clip = try samples(index)
          clip += [Int16](repeating: 0, count: WordTree.clipLength - clip.count)
          return PreparedRows(samples: clip)
        }
      },
      progress: context.clipProgress(NoisyWords.block, of: clips.count))
  }

  func write(noise: [NoiseRecording]) throws {
    let clips = noise.map { PreparedClip(rows: $0.samples.count, file: $0.name, label: 10) }
    try writer.write(
      NoiseRecording.block, .int16, rowShape: [1], clips: clips,
      makeWorker: {
        { index in
          var rows = PreparedRows(samples: noise[index].samples)
          rows.rows = noise[index].samples.count
          return rows
        }
      })
  }
}

extension WordsFields {
  fileprivate var division: WordTree.Division {
    switch by {
    case .hash: .hash(validation: validation ?? 0.1, testing: testing ?? 0.1)
    case .lists, nil: .lists
    }
  }
}

extension MFCCFields {
  var parameters: MFCC.Parameters {
    var parameters = MFCC.Parameters()
    parameters.windowLength = windowLength
    parameters.hop = hop
    parameters.melBins = melBins
    parameters.coefficients = coefficients
    return parameters
  }
}
