//! The random numbers of one trial. Knows no tuner.

import Glibc

/// Random numbers that the seed, the trial and the purpose decide alone, so that a tuner needs no
/// state beside its trials. Words are SplitMix64's (Steele, Lea, Flood 2014).
package struct TrialDraws: Sendable {
  private var state: UInt64

  package init(seed: UInt64, trial: Int, purpose: UInt64 = 0) {
    state = Self.mix(Self.mix(Self.mix(seed) &+ UInt64(trial)) &+ purpose)
  }

  private static func mix(_ word: UInt64) -> UInt64 {
    var z = word &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  package mutating func word() -> UInt64 {
    let word = Self.mix(state)
    state &+= 0x9E37_79B9_7F4A_7C15
    return word
  }

  /// In [0, 1).
  package mutating func uniform() -> Double { Double(word() >> 11) * 0x1p-53 }

  package mutating func index(below bound: Int) -> Int {
    Int(word().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// Of mean 0 and deviation 1 (Box and Muller).
  package mutating func normal() -> Double {
    let radius = sqrt(-2 * log(1 - uniform()))
    return radius * cos(2 * .pi * uniform())
  }
}
