//! JPEG files to RGB pixels, through libjpeg-turbo. Knows no data set.

internal import CTurboJPEG
import Files

/// A decoded image: 8-bit RGB, (height, width, 3).
package struct JPEG: Hashable, Sendable {
  package let height: Int
  package let width: Int
  package let pixels: [UInt8]

  /// The largest extent that is decoded; a header can claim 65,535.
  private static let largestExtent = 16384
  private static let largestFile = 64 << 20

  /// Reads and decodes a grey or colour JPEG; grey comes out as three equal channels.
  ///
  /// - Throws: `FileError`; `DatasetError.jpeg` for what is no JPEG, is damaged or cut off, has four
  ///   colour components, or is larger than any image of a data set.
  package init(reading path: String) throws {
    let bytes = try Files.read(path, limit: Self.largestFile)
    guard let decoder = tjInitDecompress() else {
      throw DatasetError.jpeg(file: path, reason: "the decoder does not start")
    }
    defer { tjDestroy(decoder) }
    func fault() -> DatasetError {
      DatasetError.jpeg(file: path, reason: String(cString: tjGetErrorStr2(decoder)))
    }
    var (width, height, subsampling, colours) = (Int32(0), Int32(0), Int32(0), Int32(0))
    let size = UInt(bytes.count)
    guard !bytes.isEmpty else { throw DatasetError.jpeg(file: path, reason: "the file is empty") }
    let header = bytes.withUnsafeBufferPointer {
      tjDecompressHeader3(
        decoder, $0.baseAddress, size, &width, &height, &subsampling, &colours)
    }
    guard header == 0 else { throw fault() }
    guard colours != TJCS_CMYK.rawValue, colours != TJCS_YCCK.rawValue else {
      throw DatasetError.jpeg(
        file: path, reason: "it has four colour components (CMYK), expected grey or colour")
    }
    guard (1...Self.largestExtent).contains(Int(width)),
      (1...Self.largestExtent).contains(Int(height))
    else {
      throw DatasetError.jpeg(
        file: path, reason: "\(width)x\(height) pixels, at most \(Self.largestExtent) a side")
    }
    self.width = Int(width)
    self.height = Int(height)
    var status: Int32 = 0
    pixels = [UInt8](unsafeUninitializedCapacity: Int(width) * Int(height) * 3) { target, count in
      status = bytes.withUnsafeBufferPointer {
        tjDecompress2(
          decoder, $0.baseAddress, size, target.baseAddress, width, 0, height, TJPF_RGB.rawValue,
          TJFLAG_ACCURATEDCT)
      }
      count = status == 0 ? target.count : 0
    }
    // A warning (a file that is cut off, say) is an error: its pixels are not the image.
    guard status == 0 else { throw fault() }
  }
}
