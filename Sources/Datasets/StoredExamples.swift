//! Prepared rows that are examples as they stand: images of bytes, features of floats. Knows no
//! network.

/// Each row of a block is one example; rows are read when they are asked for, so memory does not
/// grow with the set.
package struct StoredExamples: ExampleSet {
  private enum Form: Hashable, Sendable {
    case floats
    case images(ImageScaling)
  }

  package let block: PreparedBlock
  private let form: Form
  private let labels: [Int32]

  /// Features: rows of a float32 block.
  package init(features block: PreparedBlock) {
    precondition(block.block.element == .float32, "features are floats")
    self.init(block, .floats)
  }

  /// Images: rows of a uint8 block of (height, width, channels).
  package init(images block: PreparedBlock, scale: Float, augmentation: Augmentation? = nil) {
    let shape = block.block.rowShape
    precondition(block.block.element == .uint8 && shape.count == 3, "images are bytes")
    self.init(
      block,
      .images(
        ImageScaling(
          height: shape[0], width: shape[1], channels: shape[2], scale: scale,
          augmentation: augmentation)))
  }

  private init(_ block: PreparedBlock, _ form: Form) {
    self.block = block
    self.form = form
    labels = block.clips.flatMap { Array(repeating: $0.label, count: $0.rows) }
  }

  package var count: Int { block.rows }
  package var exampleSize: Int { block.block.rowCount }
  package func label(of row: Int) -> Int32 { labels[row] }

  package func makeWriter(_ draw: ExampleDraw) -> any ExampleWriter {
    switch form {
    case .floats: FloatWriter(block: block)
    case .images(let scaling):
      ImageWriter(
        block: block, scaling: scaling, draw: draw,
        pixels: [UInt8](repeating: 0, count: scaling.size))
    }
  }

  private struct FloatWriter: ExampleWriter {
    let block: PreparedBlock

    mutating func write(_ row: Int, to output: UnsafeMutablePointer<Float>) throws {
      try block.read(
        rows: row..<row + 1,
        into: UnsafeMutableRawBufferPointer(start: output, count: block.block.rowBytes))
    }
  }

  private struct ImageWriter: ExampleWriter {
    let block: PreparedBlock
    let scaling: ImageScaling
    let draw: ExampleDraw
    var pixels: [UInt8]

    mutating func write(_ row: Int, to output: UnsafeMutablePointer<Float>) throws {
      try pixels.withUnsafeMutableBytes { try block.read(rows: row..<row + 1, into: $0) }
      pixels.withUnsafeBufferPointer { pixels in
        guard let base = pixels.baseAddress else { return }
        scaling.write(row, from: base, draw, to: output)
      }
    }
  }
}
