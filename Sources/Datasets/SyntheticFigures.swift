//! Pictures with and without a figure, made from a seed, so that visual wake words run without a
//! download. Knows no files.

import Tensors

/// Two classes: an upright figure of head, trunk, arms and legs before clutter, and clutter in which
/// the same parts lie about apart from each other. Parts, colours and their number tell nothing;
/// how the parts hang together does, at sizes from a quarter to nearly all of the picture, partly
/// hidden, faint or strong, under noise.
///
/// Made of `+ - * /`, square roots and whole numbers only, so a seed gives the same bytes on every
/// machine. A picture follows from (seed, stream, its index): a longer set begins with the shorter.
package enum SyntheticFigures {
  /// In Keras's order of the folders' names.
  package static let classNames = ["non_person", "person"]

  /// Keeps the numbers apart from those of `SyntheticImages` under the same seed.
  private static let streamOffset: UInt64 = 100

  private static func generator(
    _ index: Int, _ seed: UInt64, _ stream: SyntheticImages.Stream
  ) -> SeededGenerator {
    SeededGenerator(
      seed: seed, RandomPurpose.synthetic, stream.rawValue + streamOffset, UInt64(index))
  }

  /// The class of a picture.
  package static func label(
    of index: Int, seed: UInt64, stream: SyntheticImages.Stream
  ) -> Int32 {
    var random = generator(index, seed, stream)
    return random.coin() ? 1 : 0
  }

  /// One RGB picture, (side, side, 3).
  package static func picture(
    _ index: Int, side: Int = 96, seed: UInt64, stream: SyntheticImages.Stream
  ) -> [UInt8] {
    precondition(index >= 0 && side > 0, "picture \(index) of side \(side)")
    var random = generator(index, seed, stream)
    let isPerson = random.coin()
    let scene = FigureScene(isPerson: isPerson, using: &random)
    return scene.paint(side: side, using: &random)
  }

  /// A set of pictures in memory.
  package static func make(
    count: Int, side: Int = 96, seed: UInt64, stream: SyntheticImages.Stream
  ) -> ImageSet {
    var pixels: [UInt8] = []
    pixels.reserveCapacity(count * side * side * 3)
    for index in 0..<count {
      pixels += picture(index, side: side, seed: seed, stream: stream)
    }
    return ImageSet(
      height: side, width: side, channels: 3, pixels: pixels,
      labels: (0..<count).map { label(of: $0, seed: seed, stream: stream) },
      classNames: classNames)
  }
}
