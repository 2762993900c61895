//! The resolved data set of a stage. A stage that evaluates has no field of the training part and
//! the other way round, so that neither's key depends on the other's data.

/// Where examples come from, and what is done to them.
package struct DatasetFields: Hashable, Sendable, Codable {
  package enum Source: String, Hashable, Sendable, Codable, CaseIterable {
    /// The files that the data set's kind names.
    case real
    /// Labelled images made from a seed, in the shape of the kind's.
    case synthetic
  }

  package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    case cifar10
    /// Machine sounds, normal and not: DCASE 2020 challenge, task 2.
    case dcase2020
    /// Spoken words, by the rules of TensorFlow's example and MLPerf Tiny.
    case speechCommands = "speech_commands"
    /// Pictures with and without a person, from COCO.
    case visualWakeWords = "visual_wake_words"

    /// Whether a stage of its own, `prepare_data`, decodes the files first.
    package var isPrepared: Bool { self != .cifar10 }
  }

  /// How CIFAR-10's batches are written.
  package enum Format: String, Hashable, Sendable, Codable, CaseIterable {
    case python, binary
  }

  package var source: Source
  package var kind: Kind
  /// nil: pickles, where there is a choice at all.
  package var format: Format?
  /// Pixels are multiplied by it; 1 leaves 0...255.
  package var scale: Double
  /// How the training set is divided; nil where the stage evaluates.
  package var split: SplitFields?
  /// How training images are varied; nil: not at all.
  package var augment: AugmentFields?
  /// nil where the source is real.
  package var synthetic: SyntheticFields?
  /// Fewer images than there are; nil: all.
  package var subset: SubsetFields?
  /// Sounds of machines: how frames become examples.
  package var windows: WindowFields?
  /// Words, where noise is mixed into training clips.
  package var noise: NoiseFields?
  /// Words: what a training clip becomes once noise is in it.
  package var mfcc: MFCCFields?
}

/// How the training set is divided into training and validation.
package struct SplitFields: Hashable, Sendable, Codable {
  /// Share of the training set that only validates, 0..<1.
  package var validation: Double
  /// nil where nothing is drawn.
  package var seed: Int?
  /// nil: single examples, drawn.
  package var by: MachineSplit?
}

/// Which windows of machine sounds validate.
package enum MachineSplit: String, Hashable, Sendable, Codable, CaseIterable {
  /// The last ones in the files' order: what Keras's `validation_split` takes.
  case last
  /// All windows of clips that are drawn.
  case clip
  /// Single windows that are drawn, so that neighbours are in both parts.
  case window
}

/// Random changes to a training image, as Keras's ImageDataGenerator names them.
package struct AugmentFields: Hashable, Sendable, Codable {
  package enum CodingKeys: String, CodingKey {
    case shift, zoom
    case rotationDegrees = "rotation_degrees"
    case horizontalFlip = "horizontal_flip"
  }

  /// Uniform in -rotation...rotation.
  package var rotationDegrees: Double
  /// Share of the extent, in both directions, uniform in -shift...shift.
  package var shift: Double
  /// Factor uniform in 1-zoom...1+zoom, x and y drawn apart.
  package var zoom: Double
  /// Mirrored with probability 0.5.
  package var horizontalFlip: Bool
}

/// The made data set. The test part does not depend on the training part's size.
package struct SyntheticFields: Hashable, Sendable, Codable {
  package enum CodingKeys: String, CodingKey {
    case seed
    case trainingImages = "training_images"
    case testImages = "test_images"
  }

  /// Size of the training set before its split; nil where the stage evaluates.
  package var trainingImages: Int?
  /// nil where the stage trains.
  package var testImages: Int?
  package var seed: Int
}

/// At most so many images of each part: the first ones, after the split has shuffled them; of the
/// test set, in the files' order. nil: all.
package struct SubsetFields: Hashable, Sendable, Codable {
  package var training: Int?
  package var validation: Int?
  package var test: Int?
}
