//! Visual wake words, prepared: JPEGs or made pictures to rows of bytes.

import Datasets
import Experiments
import Pipeline

/// The block of prepared visual wake words.
enum WakeWordBlock {
  static let images = "images"
  static let shape = [VisualWakeWords.side, VisualWakeWords.side, 3]
}

extension StageContext {
  func prepareWakeWords(_ fields: PrepareDataFields, threads: Int) throws -> PreparedContents {
    let writer = PreparedWriter(
      folder: task.output, classes: VisualWakeWords.classNames, threads: threads)
    func write(
      _ clips: [PreparedClip], _ pixels: @escaping @Sendable (Int) throws -> [UInt8]
    ) throws {
      try writer.write(
        WakeWordBlock.images, .uint8, rowShape: WakeWordBlock.shape, clips: clips,
        makeWorker: { { PreparedRows(bytes: try pixels($0)) } },
        progress: clipProgress(WakeWordBlock.images, of: clips.count))
    }
    if let synthetic = fields.synthetic {
      let isTraining = fields.part == .training
      let stream = isTraining ? SyntheticImages.Stream.training : .test
      let seed = UInt64(bitPattern: Int64(synthetic.seed))
      let count = (isTraining ? synthetic.trainingImages : synthetic.testImages) ?? 0
      let clips = (0..<count).map {
        PreparedClip(
          file: "figure_\($0)", label: SyntheticFigures.label(of: $0, seed: seed, stream: stream))
      }
      try write(clips) { SyntheticFigures.picture($0, seed: seed, stream: stream) }
    } else {
      let root = try input(InputRole.dataset("images"))
      let set = try VisualWakeWords(listing: root)
      let images = VisualWakeWords.mixed(
        fields.part == .training
          ? try fields.test.map { try set.training($0.split) } ?? set.images
          : try fields.test.map { try set.test($0.split) } ?? [])
      try write(images.map { PreparedClip(file: $0.file, label: $0.label) }) {
        try VisualWakeWords.pixels(reading: root + "/" + images[$0].file)
      }
    }
    return try writer.finish()
  }
}

extension TestSetFields {
  fileprivate var split: VisualWakeWords.TestSplit {
    let seed = UInt64(bitPattern: Int64(seed))
    return switch kind {
    case .clean: .clean(images: images, seed: seed)
    case .thesisOverlap: .thesisOverlap(images: images, seed: seed)
    }
  }
}
