//! Trees of small WAV files as data sets have them, for tests. Knows no program.

package import Foundation

/// Sounds that follow from whole numbers alone.
package enum SoundTree {
  /// A 16-bit WAV of one channel.
  package static func wav(_ samples: [Int16], rate: Int = 16_000) -> Data {
    var data = Data()
    func number(_ value: Int, bytes: Int) {
      for byte in 0..<bytes { data.append(UInt8(truncatingIfNeeded: value >> (8 * byte))) }
    }
    data += Data("RIFF".utf8)
    number(36 + samples.count * 2, bytes: 4)
    data += Data("WAVEfmt ".utf8)
    for (value, bytes) in [(16, 4), (1, 2), (1, 2), (rate, 4), (rate * 2, 4), (2, 2), (16, 2)] {
      number(value, bytes: bytes)
    }
    data += Data("data".utf8)
    number(samples.count * 2, bytes: 4)
    for sample in samples { number(Int(sample), bytes: 2) }
    return data
  }

  /// A triangle wave of this period under a little noise.
  package static func samples(_ count: Int, period: Int, seed: Int) -> [Int16] {
    var state = UInt32(truncatingIfNeeded: seed &* 2_654_435_761 &+ 12345)
    return (0..<count).map { index in
      state = state &* 1_664_525 &+ 1_013_904_223
      let place = (index &* 4000 / period) % 4000
      return Int16((place < 2000 ? place : 4000 - place) * 6 - 6000 + Int(state >> 22) - 512)
    }
  }
}

extension Workspace {
  package func write(_ data: Data, to name: String) throws {
    let file = URL(fileURLWithPath: path(name))
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: file)
  }

  /// Machines in DCASE's layout: two ids, normal ones hum, anomalies hum otherwise.
  package func writeMachines(_ root: String, training: Int = 6, test: Int = 3) throws {
    for id in 1...2 {
      for clip in 0..<training {
        try write(
          SoundTree.wav(SoundTree.samples(24_000, period: 80 + id * 9, seed: id * 100 + clip)),
          to: "\(root)/train/normal_id_0\(id)_0000000\(clip).wav")
      }
      for clip in 0..<test {
        for (label, period) in [("normal", 80 + id * 9), ("anomaly", 37)] {
          try write(
            SoundTree.wav(
              SoundTree.samples(24_000, period: period, seed: id * 1000 + clip + period)),
            to: "\(root)/test/\(label)_id_0\(id)_0000000\(clip).wav")
        }
      }
    }
  }

  /// Words in the layout of Speech Commands, divided by lists.
  package func writeWords(_ root: String, speakers: Int = 4) throws {
    let words = ["down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes", "bed"]
    for (index, word) in words.enumerated() {
      for speaker in 0..<speakers {
        try write(
          SoundTree.wav(
            SoundTree.samples(16_000, period: 40 + index * 17, seed: index * 50 + speaker)),
          to: "\(root)/\(word)/s\(speaker)_nohash_0.wav")
      }
    }
    for (index, name) in ["hum", "hiss"].enumerated() {
      try write(
        SoundTree.wav(SoundTree.samples(20_000, period: 11 + index, seed: 7 + index)),
        to: "\(root)/_background_noise_/\(name).wav")
    }
    for (list, speaker) in [("validation", speakers - 2), ("testing", speakers - 1)] {
      try write(
        words.map { "\($0)/s\(speaker)_nohash_0.wav\n" }.joined(), to: "\(root)/\(list)_list.txt")
    }
  }
}
