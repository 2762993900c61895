//! Seeded random numbers that stay the same for ever and on every machine; knows no tensors.

/// SplitMix64 (Steele, Lea, Flood 2014): one word of state, good for seeding and for hashing.
package struct SplitMix64: Hashable, Sendable {
  package var state: UInt64

  package init(seed: UInt64) { state = seed }

  /// The next word; all 64 bits are random.
  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Self.mix(state)
  }

  /// SplitMix64's finalizer: a bijection in which every input bit sways every output bit.
  package static func mix(_ word: UInt64) -> UInt64 {
    var z = word
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// xoshiro256** 1.0 (Blackman, Vigna 2018), its state filled by SplitMix64 as its authors advise.
///
/// Every derived draw (floats, bounded integers, normals) is spelled out here in integers, in
/// `+ - * /` and in `sqrt`, without libm, so a seed means the same bits everywhere. The sequences
/// are part of every result's meaning: none may change. The generator is four words and nothing
/// else (no cached second normal), so `state` is all that a checkpoint needs.
package struct SeededGenerator: RandomNumberGenerator, Hashable, Sendable, Codable {
  private var s0: UInt64
  private var s1: UInt64
  private var s2: UInt64
  private var s3: UInt64

  /// The four words of the state.
  package var state: [UInt64] { [s0, s1, s2, s3] }

  /// The generator of a seed; equal seeds give equal sequences.
  package init(seed: UInt64) {
    var words = SplitMix64(seed: seed)
    s0 = words.next()
    s1 = words.next()
    s2 = words.next()
    s3 = words.next()
  }

  /// A generator of its own for a place under a seed, such as (epoch, sample): neighbours in any
  /// key are unrelated, and the place alone decides, not who drew before.
  package init(seed: UInt64, _ first: UInt64, _ second: UInt64 = 0, _ third: UInt64 = 0) {
    var word = Self.derive(seed, first)
    word = Self.derive(word, second)
    word = Self.derive(word, third)
    self.init(seed: word)
  }

  /// The generator at a stored state; nil for the one state (all zero) that never leaves itself
  /// and for a wrong number of words.
  package init?(state: [UInt64]) {
    guard state.count == 4, state.contains(where: { $0 != 0 }) else { return nil }
    s0 = state[0]
    s1 = state[1]
    s2 = state[2]
    s3 = state[3]
  }

  /// A seed for what hangs under `seed` by the name `key`; the order of keys counts.
  package static func derive(_ seed: UInt64, _ key: UInt64) -> UInt64 {
    SplitMix64.mix(SplitMix64.mix(seed &+ 0x9E37_79B9_7F4A_7C15) &+ key)
  }

  /// The next 64 random bits.
  package mutating func next() -> UInt64 {
    let product = s1 &* 5
    let result = ((product << 7) | (product >> 57)) &* 9
    let shifted = s1 << 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = (s3 << 45) | (s3 >> 19)
    return result
  }
}

extension SeededGenerator {
  /// Uniform in [0, 1) on the grid of 2^-24: the upper 24 bits of one word.
  package mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// Uniform in [0, 1) on the grid of 2^-53: the upper 53 bits of one word.
  package mutating func uniformDouble() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Uniform in [low, high); `high` itself can come out where rounding lifts the sum to it.
  package mutating func uniform(_ low: Float, _ high: Float) -> Float {
    low + (high - low) * uniform()
  }

  /// An even coin: the top bit of one word.
  package mutating func coin() -> Bool { next() >> 63 == 1 }

  /// Uniform in 0..<bound without modulo bias (Lemire 2019: multiply, reject the short slice).
  package mutating func integer(below bound: Int) -> Int {
    precondition(bound > 0, "no integer lies below \(bound)")
    let range = UInt64(bound)
    var product = next().multipliedFullWidth(by: range)
    if product.low < range {
      let short = (0 &- range) % range
      while product.low < short { product = next().multipliedFullWidth(by: range) }
    }
    return Int(product.high)
  }

  /// Standard normal: Marsaglia's polar method, whose second value is thrown away to keep the
  /// state at four words.
  package mutating func normal() -> Double {
    while true {
      let x = 2 * uniformDouble() - 1
      let y = 2 * uniformDouble() - 1
      let square = x * x + y * y
      if square > 0 && square < 1 {
        return x * (-2 * Self.logarithm(square) / square).squareRoot()
      }
    }
  }

  /// Normal, drawn again beyond two standard deviations, as Keras's truncated normal is. Its own
  /// deviation is 0.8796... of the given one; VarianceScaling divides by that, this does not.
  package mutating func truncatedNormal() -> Double {
    while true {
      let value = normal()
      if value >= -2 && value <= 2 { return value }
    }
  }

  /// Puts the elements in a random order (Fisher-Yates from the end). The standard library's
  /// `shuffle` promises no fixed algorithm; this one is fixed.
  package mutating func shuffle<Element>(_ elements: inout [Element]) {
    var last = elements.count - 1
    while last > 0 {
      elements.swapAt(last, integer(below: last + 1))
      last -= 1
    }
  }

  /// Natural logarithm of a positive normal number, in plain arithmetic: libm's differs in the
  /// last bit from system to system. ln(m 2^e) = e ln 2 + 2 atanh((m - 1) / (m + 1)).
  static func logarithm(_ x: Double) -> Double {
    var exponent = Double(x.exponent)
    var significand = x.significand
    if significand > 1.4142135623730951 {
      significand /= 2
      exponent += 1
    }
    let f = (significand - 1) / (significand + 1)
    let square = f * f
    // |f| < 0.172, so the term f^23/23 is below the last bit.
    var sum = 0.0
    var odd = 23.0
    while odd > 0 {
      sum = sum * square + 1 / odd
      odd -= 2
    }
    return exponent * 0.6931471805599453 + 2 * f * sum
  }
}
