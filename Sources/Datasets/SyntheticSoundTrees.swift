//! Made sounds as folders of WAV files, in the layouts of DCASE and Speech Commands. Knows no reader.

import Files

extension SyntheticMachines {
  /// How many recordings a tree has, for each machine.
  package struct TreeCounts: Hashable, Sendable {
    package var machines = 4
    package var training = 100
    /// Sound and faulty recordings in the test folder.
    package var testNormal = 40
    package var testAnomaly = 40
    package var seconds = 10

    package init() {}
  }

  /// Writes `train/normal_id_01_00000000.wav`, `test/normal_id_...` and `test/anomaly_id_...` below
  /// `folder`, which stands for a machine type's folder.
  ///
  /// - Throws: `FileError`.
  package static func writeTree(to folder: String, seed: UInt64, counts: TreeCounts) throws {
    let parts: [(part: String, stream: Stream, isAnomaly: Bool, count: Int)] = [
      ("train", .training, false, counts.training), ("test", .test, false, counts.testNormal),
      ("test", .test, true, counts.testAnomaly),
    ]
    for (part, stream, isAnomaly, count) in parts {
      try Files.createDirectories(folder + "/" + part)
      for machine in 1...max(counts.machines, 1) {
        for index in 0..<count {
          let samples = clip(
            machine: machine, isAnomaly: isAnomaly, seed: seed, stream: stream, index: index,
            seconds: counts.seconds)
          let kind = isAnomaly ? "anomaly" : "normal"
          let name = "\(kind)_id_\(padded(machine, 2))_\(padded(index, 8)).wav"
          try WAVFile.write(samples, sampleRate: sampleRate, to: "\(folder)/\(part)/\(name)")
        }
      }
    }
  }
}

extension SyntheticWords {
  /// How many clips a tree has.
  package struct TreeCounts: Hashable, Sendable {
    /// Of each of the ten keywords.
    package var training = 100
    package var validation = 12
    package var test = 12
    /// Of each of the twenty other words, as a share of a keyword's.
    package var unknownShare = 0.25
    package var noiseSeconds = 20

    package init() {}
  }

  /// Writes `WORD/SPEAKER_nohash_N.wav`, `_background_noise_`, `validation_list.txt` and
  /// `testing_list.txt` below `folder`.
  ///
  /// - Throws: `FileError`.
  package static func writeTree(to folder: String, seed: UInt64, counts: TreeCounts) throws {
    var lists: [Stream: [String]] = [:]
    for word in keywords + unknownWords {
      try Files.createDirectories(folder + "/" + word)
      let share = keywords.contains(word) ? 1 : counts.unknownShare
      for (stream, count) in [
        (Stream.training, counts.training), (.validation, counts.validation), (.test, counts.test),
      ] {
        for index in 0..<Int((Double(count) * share).rounded()) {
          guard let made = clip(word: word, seed: seed, stream: stream, index: index) else {
            continue
          }
          let speaker = stream.rawValue << 24 | UInt64(made.speaker) &* 0x9E37 & 0xFF_FFFF
          let name =
            "\(word)/\(padded(Int(speaker), 8, radix: 16))_nohash_\(index / stream.speakers).wav"
          try WAVFile.write(made.samples, sampleRate: sampleRate, to: folder + "/" + name)
          lists[stream, default: []].append(name)
        }
      }
    }
    let noises = folder + "/_background_noise_"
    try Files.createDirectories(noises)
    for kind in BackgroundNoise.allCases {
      let samples = backgroundNoise(kind, seed: seed, seconds: counts.noiseSeconds)
      try WAVFile.write(samples, sampleRate: sampleRate, to: "\(noises)/\(kind.rawValue).wav")
    }
    for (stream, name) in [
      (Stream.validation, "validation_list.txt"), (.test, "testing_list.txt"),
    ] {
      let lines = (lists[stream] ?? []).map { $0 + "\n" }.joined()
      try Files.writeAtomically(lines, to: folder + "/" + name)
    }
  }
}

/// A number with zeros before it.
private func padded(_ number: Int, _ width: Int, radix: Int = 10) -> String {
  let digits = String(number, radix: radix)
  return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
