//! What made sounds are made of: sines, noise, resonances. Knows neither machines nor words.

import Tensors

/// Made of `+ - * /` and whole numbers only, so that a seed gives the same samples on every machine.
enum SyntheticSound {
  static let sampleRate = 16_000
  static let rate = Float(sampleRate)

  /// One turn of a sine, and its first value again.
  static let sines: [Float] = (0...4096).map { step in
    Float(sineAndCosine(degrees: 360 * Double(step) / 4096).sine)
  }

  /// The sine of a phase, of which 2^32 are a turn, between neighbours of the table.
  static func sine(_ phase: UInt32, _ table: UnsafeBufferPointer<Float>) -> Float {
    let index = Int(phase >> 20)
    let part = Float(phase & 0xF_FFFF) * 0x1p-20
    return table[index] + part * (table[index + 1] - table[index])
  }

  /// A step of a phase from sample to sample.
  static func step(_ hertz: Float) -> UInt32 {
    UInt32(min(max(hertz / rate, 0), 0.499) * 0x1p32)
  }

  static func phase(_ random: inout SeededGenerator) -> UInt32 {
    UInt32(truncatingIfNeeded: random.next() >> 32)
  }

  /// Samples of 16 bits, rounded and clipped.
  static func int16(_ samples: [Float]) -> [Int16] { samples.map(AudioClip.int16) }

  /// Mean square.
  static func power(_ samples: [Float]) -> Float {
    samples.isEmpty ? 0 : samples.reduce(0) { $0 + $1 * $1 } / Float(samples.count)
  }

  /// Noise between white (colour 0) and brown (towards 1), of about unit power.
  static func noise(
    count: Int, colour: Float, using random: inout SeededGenerator
  ) -> [Float] {
    var filter = OnePole(keep: colour)
    // A uniform value of -1...1 has a third of unit power; the filter leaves (1-c)/(1+c) of it.
    let gain = (3 * (1 + colour) / (1 - colour)).squareRoot()
    return (0..<count).map { _ in gain * filter.next(random.uniform(-1, 1)) }
  }
}

/// A smoothing filter of unit gain at rest.
struct OnePole {
  private let keep: Float
  private var value: Float = 0

  init(keep: Float) { self.keep = keep }

  mutating func next(_ input: Float) -> Float {
    value = keep * value + (1 - keep) * input
    return value
  }
}

/// A resonance: two poles at a frequency, of a bandwidth.
struct Resonator {
  private var gain: Float = 0
  private var first: Float = 0
  private var second: Float = 0
  private var last: Float = 0
  private var beforeLast: Float = 0

  init(hertz: Float = 1000, bandwidth: Float = 100) { tune(hertz, bandwidth) }

  /// Unit gain at rest, as formants have it.
  mutating func tune(_ hertz: Float, _ bandwidth: Float) {
    let turn = min(max(hertz, 20), 7800) / SyntheticSound.rate
    // exp(-pi bandwidth / rate), as a quotient.
    let x = Float.pi * bandwidth / SyntheticSound.rate / 2
    let radius = (1 - x) / (1 + x)
    let cosine = Float(sineAndCosine(degrees: 360 * Double(turn)).cosine)
    first = 2 * radius * cosine
    second = -radius * radius
    gain = 1 - first - second
  }

  /// Unit gain at the resonance instead, about.
  mutating func tunePeak(_ hertz: Float, _ bandwidth: Float) {
    tune(hertz, bandwidth)
    gain = bandwidth / SyntheticSound.rate * 4
  }

  mutating func next(_ input: Float) -> Float {
    let value = gain * input + first * last + second * beforeLast
    beforeLast = last
    last = value
    return value
  }
}
