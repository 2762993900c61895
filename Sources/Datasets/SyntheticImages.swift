//! Labelled pictures made from a seed, so that everything runs without a download: ten classes of
//! textures and shapes. Knows no files.

import Tensors

/// Ten classes of textures and shapes in random colours, places, sizes, turns and contrasts, under
/// noise and clutter: too varied for a linear classifier, not to be had completely by a large one.
///
/// Made of `+ - * /` and whole numbers only, so a seed gives the same bytes on every machine. An
/// image follows from (seed, stream, its index): a longer set begins with the shorter one.
package enum SyntheticImages {
  /// Sets that share a seed and no image.
  package enum Stream: UInt64, Sendable, CaseIterable {
    case training = 1
    case test = 2
  }

  package static let classNames = [
    "stripes_horizontal", "stripes_vertical", "checkerboard", "disc", "ring", "square", "triangle",
    "cross", "dots", "wedge",
  ]

  /// Makes a set of RGB images; labels are drawn, so classes are about equally frequent.
  package static func make(
    count: Int, height: Int = 32, width: Int = 32, seed: UInt64, stream: Stream
  ) -> ImageSet {
    precondition(count >= 0 && height > 0 && width > 0, "\(count) of \(height) x \(width)")
    var pixels = [UInt8](repeating: 0, count: count * height * width * 3)
    var labels: [Int32] = []
    labels.reserveCapacity(count)
    let size = height * width * 3
    for index in 0..<count {
      var random = SeededGenerator(
        seed: seed, RandomPurpose.synthetic, stream.rawValue, UInt64(index))
      let label = random.integer(below: classNames.count)
      labels.append(Int32(label))
      let scene = SyntheticScene(label: label, using: &random)
      pixels.withUnsafeMutableBufferPointer { all in
        let image = UnsafeMutableBufferPointer(rebasing: all[index * size..<(index + 1) * size])
        scene.paint(image, height: height, width: width, using: &random)
      }
    }
    return ImageSet(
      height: height, width: width, channels: 3, pixels: pixels, labels: labels,
      classNames: classNames)
  }
}
