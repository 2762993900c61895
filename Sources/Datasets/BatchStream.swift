//! One epoch of a set of examples, cut into batches of floats; knows no threads and no network.

import Tensors

/// One epoch's batches. A value: every batch follows from the arguments alone, so any thread may
/// fill any batch at any time and gets the same numbers.
package struct BatchStream: Sendable {
  package let examples: any ExampleSet
  package let batchSize: Int
  /// Rows of `examples`, in this epoch's order.
  package let order: [Int]
  private let draw: ExampleDraw

  /// Number of batches; the last one may be short.
  package var batchCount: Int { (order.count + batchSize - 1) / batchSize }

  /// - Parameters:
  ///   - indices: the rows of `examples` that take part.
  ///   - draw: seed and epoch, which decide the order and how each sample is varied.
  ///   - shuffles: whether the order is drawn, else it is that of `indices`.
  package init(
    _ examples: any ExampleSet, indices: [Int], batchSize: Int, draw: ExampleDraw, shuffles: Bool
  ) {
    precondition(batchSize > 0 && draw.epoch >= 0, "batches of \(batchSize) in \(draw.epoch)")
    let count = examples.count
    precondition(
      indices.allSatisfy { 0 <= $0 && $0 < count }, "a row beyond \(count) examples")
    self.examples = examples
    self.batchSize = batchSize
    self.draw = draw
    var order = indices
    if shuffles {
      var random = SeededGenerator(seed: draw.seed, RandomPurpose.order, UInt64(draw.epoch))
      random.shuffle(&order)
    }
    self.order = order
  }

  /// How many samples a batch holds.
  package func count(of batch: Int) -> Int {
    precondition(0 <= batch && batch < batchCount, "batch \(batch) of \(batchCount)")
    return min(batchSize, order.count - batch * batchSize)
  }

  /// What one thread fills batches with.
  package func makeFiller() -> BatchFiller {
    BatchFiller(stream: self, writer: examples.makeWriter(draw))
  }
}

/// Fills batches of one stream; for one thread.
package struct BatchFiller {
  let stream: BatchStream
  var writer: any ExampleWriter

  /// Writes one batch.
  ///
  /// - Parameters:
  ///   - examples: room for batchSize x exampleSize floats.
  ///   - labels: room for batchSize labels.
  /// - Returns: the number of samples; what lies behind them in the buffers is left as it was.
  @discardableResult
  package mutating func fill(
    batch: Int, into examples: UnsafeMutablePointer<Float>, labels: UnsafeMutablePointer<Int32>
  ) throws -> Int {
    let count = stream.count(of: batch)
    let size = stream.examples.exampleSize
    for place in 0..<count {
      let row = stream.order[batch * stream.batchSize + place]
      labels[place] = stream.examples.label(of: row)
      try writer.write(row, to: examples + place * size)
    }
    return count
  }
}
