//! Examples as the fit loop takes them: epochs of batches that a second thread prepares.

import Datasets
import Training

/// A part of a set as a `BatchSource`.
struct ExampleBatches: BatchSource {
  private let part: ExamplePart
  private let batchSize: Int
  private let seed: UInt64
  private let varies: Bool
  private var prefetcher: BatchPrefetcher?

  /// - Parameter varies: whether an epoch has an order of its own and its examples are augmented, as
  ///   in training.
  init(_ part: ExamplePart, batchSize: Int, seed: UInt64 = 0, varies: Bool = false) {
    self.part = part
    self.batchSize = batchSize
    self.seed = seed
    self.varies = varies
  }

  var count: Int { part.rows.count }

  mutating func begin(epoch: Int) throws {
    prefetcher = try BatchPrefetcher(
      BatchStream(
        part.examples, indices: part.rows, batchSize: batchSize,
        draw: ExampleDraw(seed: seed, epoch: epoch, augments: varies), shuffles: varies))
  }

  mutating func next(
    into inputs: UnsafeMutablePointer<Float>, labels: UnsafeMutablePointer<Int32>
  ) throws -> Int {
    let size = part.examples.exampleSize
    let count = try prefetcher?.next { batch, batchLabels, count in
      inputs.update(from: batch, count: count * size)
      labels.update(from: batchLabels, count: count)
      return count
    }
    return count ?? 0
  }
}
