//! A decoded recording: one channel of samples. Knows no file.

/// One channel of a recording.
package struct AudioClip: Hashable, Sendable {
  /// Samples a second.
  package var sampleRate: Int
  /// How many channels the recording has, of which this is one.
  package var channels: Int
  /// -1...1, where full scale of integer formats is 1; float formats can go beyond.
  package var samples: [Float]

  package init(sampleRate: Int, channels: Int = 1, samples: [Float]) {
    self.sampleRate = sampleRate
    self.channels = channels
    self.samples = samples
  }

  /// Samples as 16-bit integers: exactly the file's where it has 16 bits or fewer, else rounded half
  /// to even and clipped.
  package var int16Samples: [Int16] { samples.map(Self.int16) }

  /// Full scale is 32,768.
  package static func int16(_ sample: Float) -> Int16 {
    Int16(min(max((sample * 32768).rounded(.toNearestOrEven), -32768), 32767))
  }
}
