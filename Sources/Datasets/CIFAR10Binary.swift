//! CIFAR-10's binary batches as images: rows of a label and three planes. Knows no pickle.

import Files

/// The files of cifar-10-batches-bin (Krizhevsky 2009). A batch may have any number of rows.
package enum CIFAR10Binary {
  package static let trainingFiles = (1...5).map { "data_batch_\($0).bin" }
  package static let testFile = "test_batch.bin"

  private static let plane = 32 * 32
  private static let rowBytes = 1 + 3 * plane
  private static let fileLimit = 256 << 20

  /// All rows of these files, in their order: images of 32 x 32 x 3.
  ///
  /// - Throws: `FileError`; `DatasetError` where a file is no batch.
  package static func load(files: [String]) throws -> ImageSet {
    guard !files.isEmpty else { throw DatasetError.noFiles }
    var pixels: [UInt8] = []
    var labels: [Int32] = []
    for path in files {
      try decode(try Files.read(path, limit: fileLimit), path: path, &pixels, &labels)
    }
    return ImageSet(
      height: 32, width: 32, channels: 3, pixels: pixels, labels: labels,
      classNames: CIFAR10.classNames)
  }

  private static func decode(
    _ bytes: [UInt8], path: String, _ pixels: inout [UInt8], _ labels: inout [Int32]
  ) throws(DatasetError) {
    guard !bytes.isEmpty else { throw .noRows(file: path) }
    guard bytes.count % rowBytes == 0 else {
      throw .binaryBatch(file: path, bytes: bytes.count, rowBytes: rowBytes)
    }
    pixels.reserveCapacity(pixels.count + bytes.count)
    for row in 0..<bytes.count / rowBytes {
      let start = row * rowBytes
      let label = Int(bytes[start])
      guard CIFAR10.classNames.indices.contains(label) else {
        throw .labelRange(
          file: path, row: row, label: label, classes: CIFAR10.classNames.count)
      }
      labels.append(Int32(label))
      for pixel in 0..<plane {
        for channel in 0..<3 { pixels.append(bytes[start + 1 + channel * plane + pixel]) }
      }
    }
  }
}
