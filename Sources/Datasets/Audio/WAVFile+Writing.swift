//! Mono 16-bit WAV files, whole or not at all. Knows no data set.

import Files

extension WAVFile {
  /// Writes 16-bit samples of one channel behind the 44 bytes of a plain header.
  ///
  /// - Throws: `FileError`.
  package static func write(_ samples: [Int16], sampleRate: Int, to path: String) throws {
    precondition(samples.count <= longestRecording, "\(samples.count) samples")
    precondition((1...highestRate).contains(sampleRate), "\(sampleRate) samples a second")
    let size = samples.count * 2
    var bytes: [UInt8] = []
    bytes.reserveCapacity(44 + size)
    func number(_ value: Int, bytes count: Int) {
      for byte in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * byte))) }
    }
    bytes += "RIFF".utf8
    number(36 + size, bytes: 4)
    bytes += "WAVEfmt ".utf8
    number(16, bytes: 4)
    // Integers, one channel.
    number(1, bytes: 2)
    number(1, bytes: 2)
    number(sampleRate, bytes: 4)
    number(sampleRate * 2, bytes: 4)
    number(2, bytes: 2)
    number(16, bytes: 2)
    bytes += "data".utf8
    number(size, bytes: 4)
    for sample in samples { number(Int(sample), bytes: 2) }
    try Files.writeAtomically(bytes, to: path)
  }
}
