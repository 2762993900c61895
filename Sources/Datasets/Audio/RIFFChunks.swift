//! The chunks of a WAV file against the bytes that are there: libsndfile reads a truncated file up to
//! its end and says nothing. Decodes no samples.

enum RIFFChunks {
  /// Sizes from here up stand for an unknown length.
  private static let absurd = 0x7FFF_0000

  /// A recording has a handful.
  private static let mostChunks = 1000

  /// Checks that the chunks up to the samples' are whole; what is no RIFF WAVE is left to libsndfile.
  static func check(_ source: SoundSource) throws {
    let start = source.bytes(at: 0, count: 12)
    let bigEndian = start.starts(with: "RIFX".utf8)
    guard bigEndian || start.starts(with: "RIFF".utf8) else { return }
    guard start.count == 12 else {
      throw SoundFault.truncated(chunk: "RIFF", claimed: 12, left: start.count)
    }
    guard start[8...].elementsEqual("WAVE".utf8) else { return }
    var offset = 12
    for _ in 0..<mostChunks {
      let header = source.bytes(at: offset, count: 8)
      guard header.count == 8 else { throw SoundFault.noData }
      let size = number(header[4...], bigEndian)
      let left = max(0, source.size - offset - 8)
      if size > left {
        let name = String(decoding: header[..<4].map(printable), as: UTF8.self)
        throw size >= absurd
          ? SoundFault.absurdSize(chunk: name, claimed: size)
          : SoundFault.truncated(chunk: name, claimed: size, left: left)
      }
      if header.starts(with: "data".utf8) { return }
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
