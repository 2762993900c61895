//! RGB pixels to JPEG bytes, through libjpeg-turbo. Knows no file.

internal import CTurboJPEG
import Diagnostics

extension JPEG {
  /// A baseline JPEG without chroma subsampling.
  ///
  /// - Parameters:
  ///   - pixels: (height, width, 3).
  ///   - quality: libjpeg's, 1...100.
  package static func encode(
    _ pixels: [UInt8], height: Int, width: Int, quality: Int
  ) throws -> [UInt8] {
    precondition(pixels.count == height * width * 3, "\(pixels.count) bytes")
    guard let encoder = tjInitCompress() else {
      throw LibraryError(library: "libturbojpeg", call: "tjInitCompress", code: -1)
    }
    defer { tjDestroy(encoder) }
    var buffer: UnsafeMutablePointer<UInt8>?
    defer { tjFree(buffer) }
    var size: UInt = 0
    let status = pixels.withUnsafeBufferPointer {
      tjCompress2(
        encoder, $0.baseAddress, Int32(width), 0, Int32(height), Int32(TJPF_RGB.rawValue), &buffer,
        &size, Int32(TJSAMP_444.rawValue), Int32(quality), TJFLAG_ACCURATEDCT)
    }
    guard status == 0, let buffer else {
      throw LibraryError(
        library: "libturbojpeg", call: "tjCompress2", code: Int(status),
        detail: String(cString: tjGetErrorStr2(encoder)))
    }
    return Array(UnsafeBufferPointer(start: buffer, count: Int(size)))
  }
}
