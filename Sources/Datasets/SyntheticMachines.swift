//! Hum of machines made from a seed, with and without faults. Knows no files and no features.

import Tensors

/// Recordings of machines in DCASE's manner: several machines of one kind, each with a sound of its
/// own. Speed, load, level and background differ from clip to clip, so a recording's distance from
/// the average one tells little; what a fault changes is small beside that, and graded.
///
/// Made of `+ - * /` and whole numbers only, so a seed gives the same bytes on every machine. A clip
/// follows from (seed, machine, stream, its index, whether it has a fault).
package enum SyntheticMachines {
  /// Sets that share a seed and no clip.
  package enum Stream: UInt64, Sendable, CaseIterable {
    case training = 1
    case test = 2
  }

  /// Samples a second.
  package static let sampleRate = SyntheticSound.sampleRate

  /// Separates machines from all else that hangs under a seed.
  private static let purpose: UInt64 = 0x4D41_4348

  /// One recording of 16-bit samples, with a fault or without.
  ///
  /// - Parameters:
  ///   - machine: which machine, any number; DCASE counts from 1 or 0.
  ///   - index: which clip of the stream; faulty and sound ones have indices of their own.
  ///   - seconds: its length; the beginning of a longer one is not the shorter one.
  package static func clip(
    machine: Int, isAnomaly: Bool, seed: UInt64, stream: Stream, index: Int, seconds: Int = 10
  ) -> [Int16] {
    precondition(machine >= 0 && index >= 0 && seconds > 0, "machine \(machine), clip \(index)")
    let base = SeededGenerator.derive(
      SeededGenerator.derive(seed, RandomPurpose.synthetic), purpose)
    var own = SeededGenerator(seed: base, UInt64(machine))
    let sound = SyntheticMachine(using: &own)
    var random = SeededGenerator(
      seed: SeededGenerator.derive(base, UInt64(machine)), stream.rawValue, isAnomaly ? 1 : 0,
      UInt64(index))
    let fault = isAnomaly ? MachineFault(using: &random) : nil
    return SyntheticSound.int16(
      sound.record(count: seconds * sampleRate, fault: fault, using: &random))
  }
}
