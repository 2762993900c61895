//! The resolved fields of `prepare_data`: what changes the prepared files of one part of a data set,
//! and of sounds the fields that stages share with it. They know no path and no default.

/// Fields of `prepare_data`. Inputs: the files of the part, unless they are made.
package struct PrepareDataFields: Hashable, Sendable, Codable {
  package enum CodingKeys: String, CodingKey {
    case kind, part, source, layout, synthetic, mfcc, words, roots, channel, test
    case logMel = "log_mel"
  }

  /// Training holds what validates as well.
  package enum Part: String, Hashable, Sendable, Codable, CaseIterable {
    case training, test

    /// The name of the stage that prepares it.
    package var stage: String { "data_" + rawValue }
  }

  /// What the test part's files are.
  package enum Layout: String, Hashable, Sendable, Codable {
    /// A folder for each class, nothing else: the separate test set of Speech Commands.
    case folders
    /// Features that MLPerf Tiny publishes.
    case features
  }

  package var kind: DatasetFields.Kind
  package var part: Part
  package var source: DatasetFields.Source
  /// nil: the data set's own.
  package var layout: Layout?
  /// nil where the source is real.
  package var synthetic: SyntheticFields?
  /// How many folders are merged, where there may be several.
  package var roots: Int?
  /// Which channel of a recording of several is taken, from 0; nil: recordings have one.
  package var channel: Int?
  package var logMel: LogMelFields?
  package var mfcc: MFCCFields?
  package var words: WordsFields?
  /// Which images of a folder that has no parts test; nil where that changes nothing.
  package var test: TestSetFields?

  package init(kind: DatasetFields.Kind, part: Part, source: DatasetFields.Source) {
    self.kind = kind
    self.part = part
    self.source = source
  }
}

/// The test set of visual wake words, whose folder has no parts.
package struct TestSetFields: Hashable, Sendable, Codable {
  package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    /// Taken out of what trains.
    case clean
    /// Images that train as well, as in the thesis: its numbers are of a net that has seen them.
    case thesisOverlap = "thesis_overlap"
  }

  package var kind: Kind
  package var images: Int
  package var seed: Int
}

/// The spectrogram of machine sounds.
package struct LogMelFields: Hashable, Sendable, Codable {
  package enum CodingKeys: String, CodingKey {
    case nFFT = "n_fft"
    case hopLength = "hop_length"
    case melBins = "mel_bins"
    case fromFrame = "from_frame"
    case toFrame = "to_frame"
    case leastFrames = "least_frames"
  }

  package var nFFT: Int
  package var hopLength: Int
  package var melBins: Int
  /// Of a clip's frames fromFrame..<toFrame are kept, as far as it has them.
  package var fromFrame: Int
  package var toFrame: Int
  /// A clip with fewer is refused: a window's.
  package var leastFrames: Int
}

/// How frames of machine sounds become examples.
package struct WindowFields: Hashable, Sendable, Codable {
  /// Consecutive frames of one example.
  package var frames: Int
  /// The machine's name, which the score files bear; nil where the stage trains.
  package var machine: String?
}

/// The coefficients of spoken words.
package struct MFCCFields: Hashable, Sendable, Codable {
  package enum CodingKeys: String, CodingKey {
    case coefficients
    case windowMs = "window_ms"
    case strideMs = "stride_ms"
    case melBins = "mel_bins"
  }

  package var windowMs: Double
  package var strideMs: Double
  package var melBins: Int
  package var coefficients: Int

  /// Samples a second, and of a clip.
  package static let sampleRate = 16_000

  package var windowLength: Int { Int((windowMs * 16).rounded()) }
  package var hop: Int { Int((strideMs * 16).rounded()) }
  /// Windows that lie in a clip.
  package var frames: Int {
    windowLength > Self.sampleRate ? 0 : 1 + (Self.sampleRate - windowLength) / hop
  }
}

/// Noise in training clips.
package struct NoiseFields: Hashable, Sendable, Codable {
  package enum CodingKeys: String, CodingKey {
    case probability, draw
    case volumeMax = "volume_max"
  }

  package enum Draw: String, Hashable, Sendable, Codable, CaseIterable {
    /// Each clip's file, section and volume afresh in each epoch.
    case everyEpoch = "every_epoch"
    /// One file, section and volume for all clips and epochs: what MLPerf Tiny's script comes to,
    /// which draws when its graph is traced.
    case oncePerRun = "once_per_run"
  }

  /// Share of the clips that get any.
  package var probability: Double
  /// Volumes are uniform in 0...volumeMax.
  package var volumeMax: Double
  package var draw: Draw
}

/// Which clips of a tree of spoken words are in which part.
package struct WordsFields: Hashable, Sendable, Codable {
  package enum CodingKeys: String, CodingKey {
    case by, validation, testing, seed, silence, unknown
    case keepsSamples = "keeps_samples"
  }

  package enum By: String, Hashable, Sendable, Codable, CaseIterable {
    /// validation_list.txt and testing_list.txt.
    case lists
    /// TensorFlow's `which_set`.
    case hash
  }

  /// nil where the part is a folder of its own.
  package var by: By?
  /// Shares of a split by hash; nil by lists.
  package var validation: Double?
  package var testing: Double?
  /// Of the order of clips and of what is silence and unknown.
  package var seed: Int
  /// So many clips of each for one of a known word; nil where the folders say.
  package var silence: Double?
  package var unknown: Double?
  /// Whether training clips are kept as samples, for noise, instead of features.
  package var keepsSamples: Bool
}
