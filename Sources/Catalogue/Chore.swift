//! What the worker does outside of any pipeline: the kinds, and their fields. Knows not how.

/// Work on data sets that needs libraries which the command line does not load.
package enum Chore: String, Sendable {
  /// Unpacks the input `archive` into the output folder.
  case unpack
  /// Makes visual wake words of the input `coco` in the input `output`.
  case buildVisualWakeWords = "build_visual_wake_words"

  package static let archive = "archive"
  package static let coco = "coco"
  package static let result = "result"
}

package struct UnpackFields: Hashable, Sendable, Codable {
  package var maximumBytes: Int

  package init(maximumBytes: Int) { self.maximumBytes = maximumBytes }
}

package struct BuildVisualWakeWordsFields: Hashable, Sendable, Codable {
  /// The share of an image that a person's box must exceed.
  package var threshold: Double
  /// libjpeg's, 1...100.
  package var quality: Int
  package var threads: Int

  package init(threshold: Double, quality: Int, threads: Int) {
    self.threshold = threshold
    self.quality = quality
    self.threads = threads
  }
}
