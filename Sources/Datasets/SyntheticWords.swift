//! Spoken-like words made from a seed, in keyword spotting's twelve classes. Knows no files and no
//! features.

import Tensors

/// Clips of a second in Speech Commands' manner: words as moving formants, by many speakers, early
/// or late, loud or faint, in noise. The unknown words share their sounds with the known ones, so
/// that no single spectrum tells a word.
///
/// Made of `+ - * /`, square roots and whole numbers only, so a seed gives the same bytes on every
/// machine. A clip follows from (seed, stream, its index, its word).
package enum SyntheticWords {
  /// Sets that share a seed, but no clip and no speaker.
  package enum Stream: UInt64, Sendable, CaseIterable {
    case training = 1
    case validation = 2
    case test = 3

    /// How many speakers there are to draw from.
    package var speakers: Int { self == .training ? 160 : 40 }
  }

  /// Samples a second.
  package static let sampleRate = SyntheticSound.sampleRate

  /// The classes in the order of their labels.
  package static let classNames = [
    "down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes", "silence", "unknown",
  ]

  /// The words that have a class of their own.
  package static let keywords = Array(classNames.prefix(10))

  private static let spellings: [(word: String, phones: String)] = [
    ("down", "D AE UH N"), ("go", "G OW"), ("left", "L EH F T"), ("no", "N OW"), ("off", "AO F"),
    ("on", "AA N"), ("right", "R AA IY T"), ("stop", "S T AA P"), ("up", "AH P"),
    ("yes", "Y EH S"), ("bed", "B EH D"), ("bird", "B ER D"), ("cat", "K AE T"),
    ("dog", "D AO G"), ("eight", "EH IY T"), ("five", "F AA IY V"), ("four", "F AO R"),
    ("happy", "H AE P IY"), ("house", "H AE UH S"), ("marvin", "M AA R V IH N"),
    ("nine", "N AA IY N"), ("one", "W AH N"), ("seven", "S EH V AH N"), ("sheila", "SH IY L AH"),
    ("six", "S IH K S"), ("three", "TH R IY"), ("tree", "T R IY"), ("two", "T UW"),
    ("wow", "W AE UH W"), ("zero", "Z IH R OW"),
  ]

  private static let phones = Dictionary(
    uniqueKeysWithValues: spellings.map { ($0.word, SyntheticPhone.sequence($0.phones)) })

  /// The words that together are class `unknown`.
  package static let unknownWords = spellings.dropFirst(10).map(\.word)

  /// Separates words from all else that hangs under a seed.
  private static let purpose: UInt64 = 0x574F_5244

  private static func base(_ seed: UInt64) -> UInt64 {
    SeededGenerator.derive(SeededGenerator.derive(seed, RandomPurpose.synthetic), purpose)
  }

  /// The label of a set's clip: by turns, so that every dozen has each class once.
  package static func label(index: Int) -> Int { index % classNames.count }

  /// A clip of a class, 16,000 samples of 16 bits.
  package static func clip(label: Int, seed: UInt64, stream: Stream, index: Int) -> [Int16] {
    precondition(classNames.indices.contains(label) && index >= 0, "class \(label), clip \(index)")
    var random = SeededGenerator(
      seed: SeededGenerator.derive(base(seed), 1), stream.rawValue, UInt64(index), UInt64(label))
    switch classNames[label] {
    case "silence":
      return SyntheticSound.int16(silence(using: &random))
    case "unknown":
      let word = unknownWords[random.integer(below: unknownWords.count)]
      return clip(word: word, speaker: nil, seed, stream, &random).samples
    default:
      return clip(word: classNames[label], speaker: nil, seed, stream, &random).samples
    }
  }

  /// A clip of a word, known or unknown, for a folder of that word's name.
  ///
  /// - Returns: 16,000 samples, and which of the stream's speakers says it; nil for no such word.
  package static func clip(
    word: String, seed: UInt64, stream: Stream, index: Int
  ) -> (samples: [Int16], speaker: Int)? {
    guard let number = spellings.firstIndex(where: { $0.word == word }) else { return nil }
    var random = SeededGenerator(
      seed: SeededGenerator.derive(base(seed), 2), stream.rawValue, UInt64(index), UInt64(number))
    // Neighbouring clips are other speakers', so that a speaker's are numbered.
    return clip(word: word, speaker: index % stream.speakers, seed, stream, &random)
  }

  private static func clip(
    word: String, speaker: Int?, _ seed: UInt64, _ stream: Stream,
    _ random: inout SeededGenerator
  ) -> (samples: [Int16], speaker: Int) {
    let speaker = speaker ?? random.integer(below: stream.speakers)
    var own = SeededGenerator(
      seed: SeededGenerator.derive(base(seed), 3), stream.rawValue, UInt64(speaker))
    let voice = SyntheticVoice(using: &own)
    let said = voice.say(phones[word] ?? [], using: &random)
    var clip = [Float](repeating: 0, count: sampleRate)
    // Words that are cut off at the clip's ends are in the real set, too.
    let room = sampleRate - said.count
    let start = Int(Float(room) * random.uniform(-0.05, 1.05))
    let level = random.uniform(0.1, 0.8)
    for (index, sample) in said.enumerated() where clip.indices.contains(start + index) {
      clip[start + index] = level * sample
    }
    // From a quiet room to a noise nearly as strong as the word.
    let share = random.uniform(0.01, 0.5)
    let power = SyntheticSound.power(clip)
    let noise = SyntheticSound.noise(
      count: sampleRate, colour: random.uniform(0, 0.97), using: &random)
    let factor = share * power.squareRoot()
    for index in clip.indices { clip[index] += factor * noise[index] }
    return (SyntheticSound.int16(clip), speaker)
  }

  /// Nobody speaks: noise of any colour and level, hum, clicks.
  private static func silence(using random: inout SeededGenerator) -> [Float] {
    background(kind: random.integer(below: BackgroundNoise.allCases.count), sampleRate, &random)
      .map { [level = random.uniform(0.001, 0.12)] in level * $0 }
  }

  /// What the folder of background noise holds.
  package enum BackgroundNoise: String, CaseIterable, Sendable {
    case whiteNoise = "white_noise"
    case brownNoise = "brown_noise"
    case mainsHum = "mains_hum"
    case dripping
  }

  /// A long recording in which nobody speaks, to mix with words.
  package static func backgroundNoise(
    _ kind: BackgroundNoise, seed: UInt64, seconds: Int = 60
  ) -> [Int16] {
    let number = BackgroundNoise.allCases.firstIndex(of: kind) ?? 0
    var random = SeededGenerator(
      seed: SeededGenerator.derive(base(seed), 4), UInt64(number))
    let samples = background(kind: number, seconds * sampleRate, &random)
    return SyntheticSound.int16(samples.map { 0.15 * $0 })
  }

  /// About unit power.
  private static func background(
    kind: Int, _ count: Int, _ random: inout SeededGenerator
  ) -> [Float] {
    switch BackgroundNoise.allCases[kind] {
    case .whiteNoise:
      return SyntheticSound.noise(count: count, colour: random.uniform(0, 0.5), using: &random)
    case .brownNoise:
      return SyntheticSound.noise(count: count, colour: random.uniform(0.8, 0.98), using: &random)
    case .mainsHum:
      var samples = SyntheticSound.noise(count: count, colour: 0.9, using: &random)
      let hertz = random.uniform(45, 130)
      SyntheticSound.sines.withUnsafeBufferPointer { sines in
        for order in 1...5 {
          var phase = SyntheticSound.phase(&random)
          let step = SyntheticSound.step(hertz * Float(order))
          for index in samples.indices {
            samples[index] = samples[index] * 0.8 + SyntheticSound.sine(phase, sines) / Float(order)
            phase &+= step
          }
        }
      }
      return samples
    case .dripping:
      var drop = Resonator()
      drop.tunePeak(random.uniform(600, 3000), 60)
      let rarity = random.integer(below: 12_000) + 2000
      return (0..<count).map { _ in
        let isDrop = random.integer(below: rarity) == 0
        return drop.next(isDrop ? 300 : 0) + 0.1 * random.uniform(-1, 1)
      }
    }
  }
}
