//! Labelled images in memory, as bytes; knows no file and no network.

/// Labelled images of one size, NHWC.
package struct ImageSet: Sendable {
  package let height: Int
  package let width: Int
  package let channels: Int
  /// Row-major, channels innermost, image after image.
  package let pixels: [UInt8]
  /// Indices into `classNames`.
  package let labels: [Int32]
  package let classNames: [String]

  package var count: Int { labels.count }

  /// Bytes of one image.
  package var imageSize: Int { height * width * channels }

  package init(
    height: Int, width: Int, channels: Int, pixels: [UInt8], labels: [Int32], classNames: [String]
  ) {
    precondition(
      pixels.count == labels.count * height * width * channels,
      "\(pixels.count) pixels for \(labels.count) images of \(height) x \(width) x \(channels)")
    self.height = height
    self.width = width
    self.channels = channels
    self.pixels = pixels
    self.labels = labels
    self.classNames = classNames
  }

  /// The images at these places, in this order.
  package func selecting(_ indices: [Int]) -> ImageSet {
    var chosen: [UInt8] = []
    chosen.reserveCapacity(indices.count * imageSize)
    for index in indices { chosen += pixels[index * imageSize..<(index + 1) * imageSize] }
    return ImageSet(
      height: height, width: width, channels: channels, pixels: chosen,
      labels: indices.map { labels[$0] }, classNames: classNames)
  }
}
