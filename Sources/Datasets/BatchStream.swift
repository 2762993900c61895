//! One epoch of a set of images, cut into batches of floats; knows no threads and no network.

import Tensors

/// One epoch's batches. A value: every batch follows from the arguments alone, so any thread may
/// fill any batch at any time and gets the same numbers.
package struct BatchStream: Sendable {
  package let images: ImageSet
  package let batchSize: Int
  package let epoch: Int
  /// Rows of `images`, in this epoch's order.
  package let order: [Int]

  private let seed: UInt64
  private let augmentation: Augmentation?
  private let scale: Float

  /// Number of batches; the last one may be short.
  package var batchCount: Int { (order.count + batchSize - 1) / batchSize }

  /// - Parameters:
  ///   - indices: the rows of `images` that take part.
  ///   - epoch: from 0; it decides the order and each sample's augmentation.
  ///   - shuffles: whether the order is drawn from seed and epoch, else it is that of `indices`.
  ///   - augmentation: nil for validation and test.
  ///   - scale: what each pixel 0...255 is multiplied with, after the augmentation.
  package init(
    images: ImageSet, indices: [Int], batchSize: Int, epoch: Int, seed: UInt64, shuffles: Bool,
    augmentation: Augmentation?, scale: Float = 1
  ) {
    precondition(batchSize > 0 && epoch >= 0, "batches of \(batchSize) in epoch \(epoch)")
    precondition(
      indices.allSatisfy { 0 <= $0 && $0 < images.count }, "a row beyond \(images.count) images")
    self.images = images
    self.batchSize = batchSize
    self.epoch = epoch
    self.seed = seed
    self.augmentation = augmentation
    self.scale = scale
    var order = indices
    if shuffles {
      var random = SeededGenerator(seed: seed, RandomPurpose.order, UInt64(epoch))
      random.shuffle(&order)
    }
    self.order = order
  }

  /// How many samples a batch holds.
  package func count(of batch: Int) -> Int {
    precondition(0 <= batch && batch < batchCount, "batch \(batch) of \(batchCount)")
    return min(batchSize, order.count - batch * batchSize)
  }

  /// Writes one batch.
  ///
  /// - Parameters:
  ///   - images: room for batchSize x height x width x channels floats.
  ///   - labels: room for batchSize labels.
  /// - Returns: the number of samples; what lies behind them in the buffers is left as it was.
  @discardableResult
  package func fill(
    batch: Int, into images: UnsafeMutablePointer<Float>, labels: UnsafeMutablePointer<Int32>
  ) -> Int {
    let count = count(of: batch)
    let size = self.images.imageSize
    self.images.pixels.withUnsafeBufferPointer { pixels in
      guard let base = pixels.baseAddress else { return }
      for place in 0..<count {
        let row = order[batch * batchSize + place]
        labels[place] = self.images.labels[row]
        write(row, from: base + row * size, to: images + place * size)
      }
    }
    return count
  }

  /// One sample. Its random numbers come from (seed, epoch, row) and nothing else.
  private func write(
    _ row: Int, from pixels: UnsafePointer<UInt8>, to output: UnsafeMutablePointer<Float>
  ) {
    guard let augmentation else {
      for index in 0..<images.imageSize { output[index] = Float(pixels[index]) * scale }
      return
    }
    var random = SeededGenerator(
      seed: seed, RandomPurpose.augmentation, UInt64(epoch), UInt64(row))
    let map = augmentation.draw(height: images.height, width: images.width, using: &random)
    map.apply(
      to: pixels, height: images.height, width: images.width, channels: images.channels,
      output: output, scale: scale)
  }
}
