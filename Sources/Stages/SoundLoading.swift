//! Prepared sounds as the parts of a stage's data set: windows of machine sounds, words. Knows no
//! recording.

import Datasets
import Experiments

extension DatasetFields {
  private func windows(_ folder: PreparedFolder) throws -> MachineWindows {
    guard let windows else { throw StageError.wrongTask("machine sounds without windows") }
    return try MachineWindows(folder, frames: windows.frames)
  }

  func trainingWindows(_ folder: PreparedFolder) throws -> TrainingData {
    let windows = try windows(folder)
    let share = split?.validation ?? 0
    let training: [Int]
    let validation: [Int]
    switch split?.by ?? .last {
    case .last:
      // Keras's `validation_split`: the place of the cut is rounded down.
      let cut = Int(Double(windows.count) * (1 - share))
      (training, validation) = (Array(0..<cut), Array(cut..<windows.count))
    case .window:
      (training, validation) = Split.validation(
        count: windows.count, fraction: share, seed: splitSeed)
    case .clip:
      let clips = Split.validation(
        count: windows.clips.count, fraction: share, seed: splitSeed)
      training = clips.training.flatMap(windows.windows)
      validation = clips.validation.flatMap(windows.windows)
    }
    return TrainingData(
      training: ExamplePart(windows, rows: training.spread(subset?.training)),
      validation: ExamplePart(windows, rows: validation.spread(subset?.validation)))
  }

  /// A subset of test examples is one of whole clips, as clips are what is scored.
  func testWindows(_ folder: PreparedFolder) throws -> TestData {
    let windows = try windows(folder)
    let clips = Array(windows.clips.indices).spread(subset?.test)
    return TestData(
      part: ExamplePart(windows, rows: clips.flatMap(windows.windows)), clips: windows.clips)
  }

  func trainingWords(_ folder: PreparedFolder) throws -> TrainingData {
    let training: any ExampleSet
    if folder.has(NoisyWords.block) {
      guard let mfcc else {
        throw StageError.wrongTask("words without features")
      }
      training = try NoisyWords(
        folder, features: WordFeatures(mfcc.parameters), mixing: noise?.mixing)
    } else {
      training = StoredExamples(features: try folder.block(WordBlock.training, .float32))
    }
    let validation = StoredExamples(features: try folder.block(WordBlock.validation, .float32))
    return TrainingData(
      training: ExamplePart(training, limit: subset?.training),
      validation: ExamplePart(validation, limit: subset?.validation))
  }
}

extension NoiseFields {
  fileprivate var mixing: NoiseMixing {
    NoiseMixing(
      probability: probability, volumeMax: volumeMax, isDrawnOnce: draw == .oncePerRun)
  }
}

extension [Int] {
  /// At most so many, evenly from all: neighbours are much alike.
  func spread(_ limit: Int?) -> [Int] {
    guard let limit, limit < count else { return self }
    return (0..<limit).map { self[$0 * count / limit] }
  }
}
