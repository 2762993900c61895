//! Images as examples, from memory or from prepared rows of bytes. Knows no batch.

import Tensors

/// How an image's bytes become floats.
package struct ImageScaling: Hashable, Sendable {
  package var height: Int
  package var width: Int
  package var channels: Int
  /// What each pixel 0...255 is multiplied with, after the augmentation.
  package var scale: Float
  /// How images are varied where they are varied at all.
  package var augmentation: Augmentation?

  package init(
    height: Int, width: Int, channels: Int, scale: Float = 1, augmentation: Augmentation? = nil
  ) {
    self.height = height
    self.width = width
    self.channels = channels
    self.scale = scale
    self.augmentation = augmentation
  }

  /// Values of one image.
  package var size: Int { height * width * channels }

  /// One image. Its random numbers come from the draw and its row.
  func write(
    _ row: Int, from pixels: UnsafePointer<UInt8>, _ draw: ExampleDraw,
    to output: UnsafeMutablePointer<Float>
  ) {
    guard draw.augments, let augmentation else {
      for index in 0..<size { output[index] = Float(pixels[index]) * scale }
      return
    }
    var random = SeededGenerator(
      seed: draw.seed, RandomPurpose.augmentation, UInt64(draw.epoch), UInt64(row))
    let map = augmentation.draw(height: height, width: width, using: &random)
    map.apply(
      to: pixels, height: height, width: width, channels: channels, output: output, scale: scale)
  }
}

/// An `ImageSet` as examples.
package struct ImageExamples: ExampleSet {
  package let images: ImageSet
  private let scaling: ImageScaling

  package init(_ images: ImageSet, scale: Float = 1, augmentation: Augmentation? = nil) {
    self.images = images
    scaling = ImageScaling(
      height: images.height, width: images.width, channels: images.channels, scale: scale,
      augmentation: augmentation)
  }

  package var count: Int { images.count }
  package var exampleSize: Int { images.imageSize }
  package func label(of row: Int) -> Int32 { images.labels[row] }

  package func makeWriter(_ draw: ExampleDraw) -> any ExampleWriter {
    Writer(images: images, scaling: scaling, draw: draw)
  }

  private struct Writer: ExampleWriter {
    let images: ImageSet
    let scaling: ImageScaling
    let draw: ExampleDraw

    mutating func write(_ row: Int, to output: UnsafeMutablePointer<Float>) {
      images.pixels.withUnsafeBufferPointer { pixels in
        guard let base = pixels.baseAddress else { return }
        scaling.write(row, from: base + row * scaling.size, draw, to: output)
      }
    }
  }
}
