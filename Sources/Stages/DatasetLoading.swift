//! A stage's data set, from its fields and its input files.

import Datasets
import Experiments
import Pipeline
import Training

/// A training set, divided.
struct TrainingData {
  let images: ImageSet
  let training: [Int]
  let validation: [Int]
}

extension DatasetFields {
  /// The training set and its division into training and validation.
  ///
  /// - Parameter validates: whether somebody looks at the validation set, so that there must be one.
  func loadTraining(_ context: StageContext, validates: Bool) throws -> TrainingData {
    let images: ImageSet
    if let synthetic {
      images = SyntheticImages.make(
        count: synthetic.trainingImages ?? 0, seed: UInt64(bitPattern: Int64(synthetic.seed)),
        stream: .training)
    } else {
      images = try CIFAR10.load(
        files: CIFAR10.trainingFiles.map { try context.input(InputRole.dataset($0)) })
    }
    let division = Split.validation(
      count: images.count, fraction: split?.validation ?? 0,
      seed: UInt64(bitPattern: Int64(split?.seed ?? 0)))
    let data = TrainingData(
      images: images,
      training: Array(division.training.prefix(subset?.training ?? .max)),
      validation: Array(division.validation.prefix(subset?.validation ?? .max)))
    if validates, data.validation.isEmpty {
      throw StageError.nothingValidates(images: images.count)
    }
    return data
  }

  func loadTest(_ context: StageContext) throws -> ImageSet {
    let images: ImageSet
    if let synthetic {
      images = SyntheticImages.make(
        count: synthetic.testImages ?? 0, seed: UInt64(bitPattern: Int64(synthetic.seed)),
        stream: .test)
    } else {
      images = try CIFAR10.load(files: [context.input(InputRole.dataset(CIFAR10.testFile))])
    }
    guard let limit = subset?.test, limit < images.count else { return images }
    return images.selecting(Array(0..<limit))
  }

  var augmentation: Augmentation? {
    augment.map {
      Augmentation(
        rotationDegrees: $0.rotationDegrees, heightShift: $0.shift, widthShift: $0.shift,
        zoom: $0.zoom, horizontalFlip: $0.horizontalFlip)
    }
  }
}

extension TrainingData {
  func trainingBatches(_ fields: DatasetFields, batchSize: Int, seed: Int) -> ImageBatches {
    ImageBatches(
      images, indices: training, batchSize: batchSize, seed: UInt64(bitPattern: Int64(seed)),
      shuffles: true, augmentation: fields.augmentation, scale: Float(fields.scale))
  }

  /// Nil where nothing validates.
  func validationBatches(_ fields: DatasetFields, batchSize: Int) -> ImageBatches? {
    validation.isEmpty
      ? nil
      : ImageBatches(images, indices: validation, batchSize: batchSize, scale: Float(fields.scale))
  }
}
