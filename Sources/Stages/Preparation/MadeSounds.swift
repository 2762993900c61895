//! Made machine sounds and words in place of recordings. Knows how sets are laid out, not how a sound
//! is made.

import Datasets
import Experiments

/// Clips of machines that hum, in the order of their rows.
struct MadeMachines: Sendable {
  /// Machines of which a set has recordings, by turns: ids 01, 02, ...
  private static let machines = 4

  private let seed: UInt64
  private let part: PrepareDataFields.Part
  let clips: [PreparedClip]

  init(_ fields: SyntheticFields, part: PrepareDataFields.Part) {
    seed = UInt64(bitPattern: Int64(fields.seed))
    self.part = part
    let count = (part == .training ? fields.trainingImages : fields.testImages) ?? 0
    clips = (0..<count).map { place in
      let clip = Self.clip(place, part)
      let id = "0\(clip.machine)"
      let number = "\(clip.index)"
      let zeros = String(repeating: "0", count: max(0, 8 - number.count))
      return PreparedClip(
        file: "\(clip.isAnomaly ? "anomaly" : "normal")_id_\(id)_\(zeros)\(number).wav",
        label: clip.isAnomaly ? 1 : 0, group: id)
    }
  }

  /// Machines take turns; of a machine's test clips every other one has a fault.
  private static func clip(
    _ place: Int, _ part: PrepareDataFields.Part
  ) -> (machine: Int, isAnomaly: Bool, index: Int) {
    let turn = place / machines
    let machine = place % machines + 1
    return part == .training
      ? (machine, false, turn) : (machine, !turn.isMultiple(of: 2), turn / 2)
  }

  func samples(_ place: Int) -> [Float] {
    let clip = Self.clip(place, part)
    return SyntheticMachines.clip(
      machine: clip.machine, isAnomaly: clip.isAnomaly, seed: seed,
      stream: part == .training ? .training : .test, index: clip.index
    ).map { Float($0) * 0x1p-15 }
  }
}

/// Clips of made words of one stream.
struct MadeWords: Sendable {
  private let seed: UInt64
  private let stream: SyntheticWords.Stream
  let clips: [PreparedClip]

  init(_ count: Int, stream: SyntheticWords.Stream, seed: UInt64) {
    self.seed = seed
    self.stream = stream
    clips = (0..<count).map { index in
      let label = SyntheticWords.label(index: index)
      return PreparedClip(
        file: "\(SyntheticWords.classNames[label])/\(index)", label: Int32(label))
    }
  }

  func samples(_ index: Int) -> [Int16] {
    SyntheticWords.clip(
      label: SyntheticWords.label(index: index), seed: seed, stream: stream, index: index)
  }
}

extension NoiseRecording {
  /// All kinds of made background noise.
  static func made(seed: UInt64) -> [NoiseRecording] {
    SyntheticWords.BackgroundNoise.allCases.map { kind in
      let name = "_background_noise_/\(kind.rawValue).wav"
      return NoiseRecording(
        path: name, name: name, samples: SyntheticWords.backgroundNoise(kind, seed: seed))
    }
  }
}
