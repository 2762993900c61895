//! Images as the fit loop takes them: epochs of batches that a second thread prepares.

import Datasets
import Training

/// A part of an image set as a `BatchSource`.
struct ImageBatches: BatchSource {
  private let images: ImageSet
  private let indices: [Int]
  private let batchSize: Int
  private let seed: UInt64
  private let shuffles: Bool
  private let augmentation: Augmentation?
  private let scale: Float
  private var prefetcher: BatchPrefetcher?

  init(
    _ images: ImageSet, indices: [Int], batchSize: Int, seed: UInt64 = 0, shuffles: Bool = false,
    augmentation: Augmentation? = nil, scale: Float
  ) {
    self.images = images
    self.indices = indices
    self.batchSize = batchSize
    self.seed = seed
    self.shuffles = shuffles
    self.augmentation = augmentation
    self.scale = scale
  }

  var count: Int { indices.count }

  mutating func begin(epoch: Int) throws {
    prefetcher = try BatchPrefetcher(
      BatchStream(
        images: images, indices: indices, batchSize: batchSize, epoch: epoch, seed: seed,
        shuffles: shuffles, augmentation: augmentation, scale: scale))
  }

  mutating func next(
    into inputs: UnsafeMutablePointer<Float>, labels: UnsafeMutablePointer<Int32>
  ) throws -> Int {
    let size = images.imageSize
    let count = prefetcher?.next { batch, batchLabels, count in
      inputs.update(from: batch, count: count * size)
      labels.update(from: batchLabels, count: count)
      return count
    }
    return count ?? 0
  }
}
