//! What the worker does for `shiftwork data`: unpacking, and building visual wake words.

import Archives
import Catalogue
import Datasets
import Files
import Pipeline

extension StageContext {
  func run(_ chore: Chore) throws {
    switch chore {
    case .unpack: try unpack()
    case .buildVisualWakeWords: try buildVisualWakeWords()
    }
  }

  private func unpack() throws {
    let fields = try fields(UnpackFields.self)
    var shown = 0
    try Unpacker.unpack(
      input(Chore.archive), into: task.output, limits: .init(bytes: fields.maximumBytes)
    ) { files, bytes in
      // Some thousand lines for the largest sets.
      guard files - shown >= 200 else { return }
      shown = files
      report(.init(message: "\(files) files, \(bytes >> 20) MiB"))
    }
  }

  private func buildVisualWakeWords() throws {
    let fields = try fields(BuildVisualWakeWordsFields.self)
    let builder = VisualWakeWordsBuilder(
      coco: try input(Chore.coco), result: try input(Chore.result), threshold: fields.threshold,
      quality: fields.quality, threads: fields.threads)
    let counts = try builder.run { progress in
      report(
        .init(
          samplesPerSecond: progress.imagesPerSecond, secondsLeft: progress.secondsLeft,
          message: "\(progress.done) of \(progress.count) images"))
    }
    say(
      .metrics(
        .object([
          "person": .int(counts.person), "non_person": .int(counts.nonPerson),
          "skipped": .int(counts.skipped), "made": .int(counts.made),
        ])))
  }
}
