//! The chunks of a WAV file against the bytes that are there: libsndfile reads a truncated file up to
//! its end and says nothing. Decodes no samples.

enum RIFFChunks {
  /// Sizes from here up stand for an unknown length.
  private static let absurd = 0x7FFF_0000

  /// Checks that the chunks up to the samples' are whole; what is no RIFF WAVE is left to libsndfile.
  static func check(_ bytes: [UInt8]) throws {
    let bigEndian = bytes.starts(with: Array("RIFX".utf8))
    guard bigEndian || bytes.starts(with: Array("RIFF".utf8)) else { return }
    guard bytes.count >= 12 else {
      throw SoundFault.truncated(chunk: "RIFF", claimed: 12, left: bytes.count)
    }
    guard bytes[8..<12].elementsEqual("WAVE".utf8) else { return }
    var offset = 12
    while offset + 8 <= bytes.count {
      let size = number(bytes[offset + 4..<offset + 8], bigEndian)
      let left = bytes.count - offset - 8
      let isData = bytes[offset..<offset + 4].elementsEqual("data".utf8)
      if size > left {
        let name = String(decoding: bytes[offset..<offset + 4].map(printable), as: UTF8.self)
        throw size >= absurd
          ? SoundFault.absurdSize(chunk: name, claimed: size)
          : SoundFault.truncated(chunk: name, claimed: size, left: left)
      }
      if isData { return }
      // Chunks begin at even places.
      offset += 8 + size + size % 2
    }
    throw SoundFault.noData
  }

  private static func number(_ bytes: ArraySlice<UInt8>, _ bigEndian: Bool) -> Int {
    let ordered = bigEndian ? Array(bytes) : bytes.reversed()
    return ordered.reduce(0) { $0 << 8 | Int($1) }
  }

  private static func printable(_ byte: UInt8) -> UInt8 {
    (0x20...0x7E).contains(byte) ? byte : UInt8(ascii: "?")
  }
}
