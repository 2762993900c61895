//! Made machines and words: the same on every machine, different from set to set, and too varied for
//! what is simple.

import Datasets
import Files
import Foundation
import TestSupport
import Testing

@Suite struct SyntheticSoundTests {
  /// FNV-1a, to pin the samples without storing them.
  private func hash(_ samples: [Int16]) -> UInt64 {
    samples.reduce(0xCBF2_9CE4_8422_2325) {
      ($0 ^ UInt64(UInt16(bitPattern: $1))) &* 0x0000_0100_0000_01B3
    }
  }

  private func machine(
    _ machine: Int, _ index: Int, anomaly: Bool = false, seed: UInt64 = 1,
    stream: SyntheticMachines.Stream = .training, seconds: Int = 2
  ) -> [Int16] {
    SyntheticMachines.clip(
      machine: machine, isAnomaly: anomaly, seed: seed, stream: stream, index: index,
      seconds: seconds)
  }

  @Test func aSeedFixesEverySample() {
    #expect(machine(1, 0).count == 32_000)
    #expect(hash(machine(1, 0)) == 5_160_220_065_118_025_405)
    #expect(hash(machine(2, 7, anomaly: true, stream: .test)) == 4_349_270_337_351_009_231)
    let words = (0..<12).map {
      hash(SyntheticWords.clip(label: $0, seed: 1, stream: .training, index: $0))
    }
    #expect(words.reduce(0, &+) == 3_970_444_667_480_184_873)
    let noises = SyntheticWords.BackgroundNoise.allCases.map {
      hash(SyntheticWords.backgroundNoise($0, seed: 1, seconds: 1))
    }
    #expect(noises.reduce(0, &+) == 14_927_990_990_085_921_245)
  }

  @Test func streamsSeedsMachinesAndFaultsShareNothing() {
    let clips = [
      machine(1, 0), machine(1, 1), machine(2, 0), machine(1, 0, seed: 2),
      machine(1, 0, stream: .test), machine(1, 0, anomaly: true),
    ]
    #expect(Set(clips.map(hash)).count == clips.count)
    let words = [
      SyntheticWords.clip(label: 3, seed: 1, stream: .training, index: 0),
      SyntheticWords.clip(label: 3, seed: 1, stream: .training, index: 12),
      SyntheticWords.clip(label: 3, seed: 1, stream: .validation, index: 0),
      SyntheticWords.clip(label: 3, seed: 2, stream: .training, index: 0),
      SyntheticWords.clip(label: 4, seed: 1, stream: .training, index: 0),
    ]
    #expect(Set(words.map(hash)).count == words.count)
    #expect(SyntheticWords.clip(word: "nobody", seed: 1, stream: .test, index: 0) == nil)
  }

  @Test func nothingClipsAndNothingIsSilent() {
    for index in 0..<24 {
      let word = SyntheticWords.clip(label: index % 12, seed: 5, stream: .test, index: index)
      let hum = machine(index % 3, index, anomaly: index.isMultiple(of: 2), seconds: 1)
      for samples in [word, hum] {
        let loudest = samples.map { Int($0).magnitude }.max() ?? 0
        #expect((20..<32_767).contains(Int(loudest)), "clip \(index): \(loudest)")
      }
    }
  }

  /// Mean features of a clip: what the simplest of models sees.
  private func means(_ samples: [Int16], _ transform: LogMelSpectrogram) -> [Float] {
    let floats = samples.map { Float($0) / 32768 }
    let frames = transform.frameCount(samples: floats.count)
    var values = [Float](repeating: 0, count: frames * transform.bands)
    floats.withUnsafeBufferPointer {
      transform.write($0, to: &values, scratch: transform.makeScratch())
    }
    return (0..<transform.bands).map { band in
      stride(from: band, to: values.count, by: transform.bands).reduce(0) { $0 + values[$1] }
        / Float(frames)
    }
  }

  /// How far a machine's clip is from the machine's average tells little of faults.
  @Test func distancesFromTheMeanDoNotTellFaults() {
    let transform = LogMelSpectrogram()
    var wins = 0.0
    var pairs = 0.0
    for id in 1...3 {
      let training = (0..<24).map { means(machine(id, $0), transform) }
      let centre = (0..<128).map { band in training.reduce(0) { $0 + $1[band] } / 24 }
      func distances(_ anomaly: Bool) -> [Float] {
        (0..<24).map { index in
          let clip = means(machine(id, index, anomaly: anomaly, stream: .test), transform)
          return zip(clip, centre).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        }
      }
      let normal = distances(false)
      for faulty in distances(true) {
        wins += normal.reduce(0) { $0 + (faulty > $1 ? 1 : 0) }
        pairs += Double(normal.count)
      }
    }
    let area = wins / pairs
    print("area under the curve of the distance from the mean: \(area)")
    #expect((0.45...0.75).contains(area))
  }

  /// The nearest class mean is right far less often than a network is, and more often than chance.
  @Test func classMeansDoNotTellWords() {
    let transform = MFCC()
    func features(_ count: Int, _ stream: SyntheticWords.Stream) -> [[Float]] {
      (0..<count).map { index in
        let samples = SyntheticWords.clip(
          label: SyntheticWords.label(index: index), seed: 3, stream: stream, index: index)
        let floats = samples.map(Float.init)
        var clip = [Float](repeating: 0, count: 16_000)
        var values = [Float](repeating: 0, count: 490)
        floats.withUnsafeBufferPointer { MFCC.prepare($0, length: 16_000, to: &clip) }
        clip.withUnsafeBufferPointer {
          transform.write($0, to: &values, scratch: transform.makeScratch())
        }
        return values
      }
    }
    let training = features(720, .training)
    let test = features(240, .test)
    let centres = (0..<12).map { label in
      (0..<490).map { place in
        stride(from: label, to: 720, by: 12).reduce(0) { $0 + training[$1][place] } / 60
      }
    }
    var right = 0
    for (index, clip) in test.enumerated() {
      let distances = centres.map { centre in
        zip(clip, centre).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      }
      let nearest = distances.indices.min { distances[$0] < distances[$1] }
      if nearest == SyntheticWords.label(index: index) { right += 1 }
    }
    print("nearest class mean: \(right) of 240 words")
    #expect((24...120).contains(right))
  }

  @Test func writesDCASEsFolders() throws {
    let workspace = try Workspace()
    var counts = SyntheticMachines.TreeCounts()
    counts.machines = 2
    counts.training = 2
    counts.testNormal = 1
    counts.testAnomaly = 1
    counts.seconds = 1
    try SyntheticMachines.writeTree(to: workspace.root + "/hum", seed: 9, counts: counts)
    #expect(
      workspace.files == [
        "hum/test/anomaly_id_01_00000000.wav", "hum/test/anomaly_id_02_00000000.wav",
        "hum/test/normal_id_01_00000000.wav", "hum/test/normal_id_02_00000000.wav",
        "hum/train/normal_id_01_00000000.wav", "hum/train/normal_id_01_00000001.wav",
        "hum/train/normal_id_02_00000000.wav", "hum/train/normal_id_02_00000001.wav",
      ])
    let clip = try WAVFile.read(
      workspace.path("hum/test/anomaly_id_02_00000000.wav"), expectedRate: 16_000)
    #expect(
      clip.int16Samples == machine(2, 0, anomaly: true, seed: 9, stream: .test, seconds: 1))
  }

  @Test func writesSpeechCommandsFolders() throws {
    let workspace = try Workspace()
    var counts = SyntheticWords.TreeCounts()
    counts.training = 4
    counts.validation = 2
    counts.test = 2
    counts.unknownShare = 0.5
    counts.noiseSeconds = 1
    try SyntheticWords.writeTree(to: workspace.root, seed: 9, counts: counts)
    let files = workspace.files
    // Ten keywords of eight clips, twenty others of four, four noises, two lists.
    #expect(files.count == 80 + 80 + 4 + 2)
    func lines(_ name: String) throws -> [String] {
      try workspace.read(name).split(separator: "\n").map(String.init)
    }
    let lists = try (lines("validation_list.txt"), lines("testing_list.txt"))
    #expect(lists.0.count == 40 && lists.1.count == 40)
    #expect(Set(lists.0 + lists.1).count == 80)
    for name in lists.0 + lists.1 { #expect(files.contains(name)) }
    // No speaker is in two sets.
    func speakers(_ names: [String]) -> Set<Substring> {
      Set(names.compactMap { $0.split(separator: "/").last?.prefix(8) })
    }
    let training = files.filter { $0.contains("_nohash_") && !(lists.0 + lists.1).contains($0) }
    #expect(training.count == 80)
    let sets = [speakers(training), speakers(lists.0), speakers(lists.1)]
    #expect(sets[0].union(sets[1]).union(sets[2]).count == sets.reduce(0) { $0 + $1.count })
    let clip = try WAVFile.read(workspace.path("_background_noise_/mains_hum.wav"))
    #expect(clip.int16Samples == SyntheticWords.backgroundNoise(.mainsHum, seed: 9, seconds: 1))
  }
}
