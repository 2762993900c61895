//! A stage's data set, from its fields and its inputs. Knows no kind's files but CIFAR-10's: others
//! come prepared.

import Datasets
import Experiments
import Pipeline
import Training

/// Rows of a set that play one part.
struct ExamplePart {
  let examples: any ExampleSet
  let rows: [Int]

  /// - Parameter limit: at most so many rows, the first; nil: all.
  init(_ examples: any ExampleSet, rows: [Int]? = nil, limit: Int? = nil) {
    self.examples = examples
    let rows = rows ?? Array(0..<examples.count)
    self.rows = limit.map { Array(rows.prefix($0)) } ?? rows
  }
}

/// A training set, divided.
struct TrainingData {
  let training: ExamplePart
  let validation: ExamplePart
}

/// A test set, and by example group what its clips are, where it was prepared.
struct TestData {
  let part: ExamplePart
  var clips: [PreparedClip] = []
}

extension DatasetFields {
  /// The training set and its division into training and validation.
  ///
  /// - Parameter validates: whether somebody looks at the validation set, so that there must be one.
  func loadTraining(_ context: StageContext, validates: Bool) throws -> TrainingData {
    let data =
      switch kind {
      case .cifar10: try trainingImages(context)
      case .dcase2020: try trainingWindows(context.prepared(.training))
      case .speechCommands: try trainingWords(context.prepared(.training))
      case .visualWakeWords: try dividing(wakeWords(context, .training))
      }
    if data.training.rows.isEmpty { throw TrainingError.noExamples }
    if validates, data.validation.rows.isEmpty {
      throw StageError.nothingValidates(examples: data.training.rows.count)
    }
    return data
  }

  func loadTest(_ context: StageContext) throws -> TestData {
    switch kind {
    case .cifar10: return TestData(part: try testImages(context))
    case .dcase2020: return try testWindows(context.prepared(.test))
    case .visualWakeWords:
      let examples = try wakeWords(context, .test)
      return TestData(part: ExamplePart(examples, limit: subset?.test))
    case .speechCommands:
      let block = try context.prepared(.test).block(WordBlock.test, .float32)
      return TestData(
        part: ExamplePart(
          StoredExamples(features: block), rows: Array(0..<block.rows).spread(subset?.test)),
        clips: block.clips)
    }
  }

  // MARK: Images

  private func trainingImages(_ context: StageContext) throws -> TrainingData {
    let images: ImageSet
    if let synthetic {
      images = SyntheticImages.make(
        count: synthetic.trainingImages ?? 0, seed: UInt64(bitPattern: Int64(synthetic.seed)),
        stream: .training)
    } else {
      images = try cifar10(context, training: true)
    }
    return dividing(ImageExamples(images, scale: Float(scale), augmentation: augmentation))
  }

  private func cifar10(_ context: StageContext, training: Bool) throws -> ImageSet {
    let files = try self.files(training: training).map { try context.input(InputRole.dataset($0)) }
    return format == .binary
      ? try CIFAR10Binary.load(files: files) : try CIFAR10.load(files: files)
  }

  private func wakeWords(
    _ context: StageContext, _ part: PrepareDataFields.Part
  ) throws -> StoredExamples {
    let block = try context.prepared(part).block(
      WakeWordBlock.images, .uint8, shape: WakeWordBlock.shape)
    return StoredExamples(images: block, scale: Float(scale), augmentation: augmentation)
  }

  /// Examples of which a drawn share validates.
  private func dividing(_ examples: any ExampleSet) -> TrainingData {
    let division = Split.validation(
      count: examples.count, fraction: split?.validation ?? 0, seed: splitSeed)
    return TrainingData(
      training: ExamplePart(examples, rows: division.training, limit: subset?.training),
      validation: ExamplePart(examples, rows: division.validation, limit: subset?.validation))
  }

  private func testImages(_ context: StageContext) throws -> ExamplePart {
    let images: ImageSet
    if let synthetic {
      images = SyntheticImages.make(
        count: synthetic.testImages ?? 0, seed: UInt64(bitPattern: Int64(synthetic.seed)),
        stream: .test)
    } else {
      images = try cifar10(context, training: false)
    }
    var rows: [Int]?
    if let index = context.task.inputs[InputRole.testIndex] {
      rows = try IndexFile.read(index, count: images.count)
    }
    return ExamplePart(
      ImageExamples(images, scale: Float(scale)), rows: rows, limit: subset?.test)
  }

  var splitSeed: UInt64 { UInt64(bitPattern: Int64(split?.seed ?? 0)) }

  private var augmentation: Augmentation? {
    augment.map {
      Augmentation(
        rotationDegrees: $0.rotationDegrees, heightShift: $0.shift, widthShift: $0.shift,
        zoom: $0.zoom, horizontalFlip: $0.horizontalFlip)
    }
  }
}

extension StageContext {
  /// What `prepare_data` made of a part.
  func prepared(_ part: PrepareDataFields.Part) throws -> PreparedFolder {
    try PreparedFolder(input(InputRole.data(part)))
  }
}

extension TrainingData {
  func trainingBatches(batchSize: Int, seed: Int) -> ExampleBatches {
    ExampleBatches(
      training, batchSize: batchSize, seed: UInt64(bitPattern: Int64(seed)), varies: true)
  }

  /// Nil where nothing validates.
  func validationBatches(batchSize: Int) -> ExampleBatches? {
    validation.rows.isEmpty ? nil : ExampleBatches(validation, batchSize: batchSize)
  }
}
