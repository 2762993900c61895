//! Words: which part a speaker is in, what a tree's clips are, and noise.

import Datasets
import Foundation
import TestSupport
import Testing

@Suite struct SpokenWordTests {
  private let workspace: Workspace

  init() throws { workspace = try Workspace() }

  /// A clip whose samples say which one it is.
  private func write(_ name: String, samples: Int = 16_000, step: Int = 1) throws {
    let path = workspace.path("tree/" + name)
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try WAVFile.write(
      (0..<samples).map { Int16(truncatingIfNeeded: $0 &* step % 9973 - 4000) },
      sampleRate: 16_000, to: path)
  }

  private func makeTree() throws {
    for (index, word) in WordTree.classNames.prefix(10).enumerated() {
      for speaker in 0..<6 {
        try write("\(word)/speaker\(speaker)_nohash_0.wav", step: index * 10 + speaker + 1)
      }
    }
    for word in ["bed", "zero"] {
      for speaker in 0..<6 { try write("\(word)/speaker\(speaker)_nohash_0.wav", step: 77) }
    }
    try write("_background_noise_/hum.wav", samples: 40_000, step: 31)
    try write("_background_noise_/hiss.wav", samples: 17_000, step: 57)
  }

  /// Values of TensorFlow's own expression in Python.
  @Test(arguments: [
    ("563aa4e6_nohash_3.wav", 13.094019987389593), ("up/563aa4e6_nohash_0.wav", 13.094019987389593),
    ("bbb.wav", 81.75673471209954), ("c_nohash_d_nohash_1.wav", 28.45987400755192),
  ])
  func theSpeakersHashIsTensorFlows(_ name: String, _ place: Double) {
    #expect(SpeakerHash.percentage(ofFile: name) == place)
  }

  @Test(.enabled(if: TestPaths.sharedData != nil, "needs the shared data"))
  func theOfficialListsFollowFromTheHash() throws {
    let folder = try #require(TestPaths.sharedData) + "/speech_commands/official_lists_v0.02/"
    for (list, part) in [
      ("validation_list.txt", WordPart.validation), ("testing_list.txt", .testing),
    ] {
      let lines = try String(contentsOfFile: folder + list, encoding: .utf8)
        .split(whereSeparator: \.isNewline)
      #expect(lines.count > 9000)
      #expect(
        lines.allSatisfy {
          SpeakerHash.part(ofFile: String($0), validation: 0.1, testing: 0.1) == part
        })
    }
  }

  @Test func aTreesPartsHoldEachClipOnceWithTheirShares() throws {
    try makeTree()
    try workspace.write(
      "up/speaker0_nohash_0.wav\nbed/speaker1_nohash_0.wav\n", to: "tree/validation_list.txt")
    try workspace.write("yes/speaker2_nohash_0.wav\r\n", to: "tree/testing_list.txt")
    let tree = try WordTree(workspace.path("tree"), divided: .lists)
    let noise = try NoiseRecording.all(in: workspace.path("tree"))
    #expect(noise.map(\.samples.count) == [17_000, 40_000])
    func clips(_ part: WordPart, seed: UInt64 = 1) throws -> [WordClip] {
      try tree.clips(of: part, silence: 0.1, unknown: 0.1, noise: noise, seed: seed)
    }
    let training = try clips(.training)
    // 58 known, 6 each of the others (5.8 rounded up).
    #expect(training.count == 70)
    #expect(training.filter { $0.label == WordTree.unknown }.count == 6)
    #expect(training.filter { $0.label == WordTree.silence }.count == 6)
    #expect(try training == clips(.training) && training != clips(.training, seed: 2))
    #expect(try Set(clips(.validation).map(\.label)) == [8, 10, 11])
    #expect(try clips(.testing).map(\.name).contains("yes/speaker2_nohash_0.wav"))
    let silence = try #require(training.first { $0.label == WordTree.silence })
    #expect(try silence.samples(noise: noise).count == 16_000)
    #expect(tree.missingKeywords(in: .testing).count == 9)

    let hashed = try WordTree(
      workspace.path("tree"), divided: .hash(validation: 0.2, testing: 0.2))
    let counts = try WordPart.allCases.map {
      try hashed.clips(of: $0, silence: 0, unknown: 0, noise: [], seed: 1).count
    }
    #expect(counts.reduce(0, +) == 60)
  }

  @Test func whatIsNoTreeIsNamed() throws {
    try makeTree()
    let root = workspace.path("tree")
    func message(_ body: () throws -> Void) -> String {
      do {
        try body()
        return ""
      } catch { return "\(error)" }
    }
    #expect(
      message { _ = try WordTree(root, divided: .lists) }.hasPrefix(
        "\(root): has no validation_list.txt, by which clips are divided"))
    try workspace.write("up\n", to: "tree/validation_list.txt")
    #expect(
      message { _ = try WordTree(root, divided: .lists) }
        == "\(root): validation_list.txt:1: `up` is no WORD/FILE.wav")
    #expect(
      message { _ = try WordTree(root + "/up", divided: .hash(validation: 0, testing: 0)) }
        .contains("has no folder of a class (down, go, "))
    #expect(
      message { _ = try WordTree.classFolders(root) }.contains("has no clips of `_silence_`"))
    try write("_background_noise_/short.wav", samples: 100)
    #expect(
      message { _ = try NoiseRecording.all(in: root) }.contains(
        "short.wav: noise of 100 samples is no longer than a clip"))
  }

  /// Prepared clips with noise beside them.
  private func noisyWords(_ mixing: NoiseMixing?) throws -> NoisyWords {
    let folder = workspace.path("prepared-\(UUID().uuidString)")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let writer = PreparedWriter(folder: folder, classes: WordTree.classNames, threads: 2)
    let clips = (0..<20).map { PreparedClip(file: "clip\($0)", label: Int32($0 % 12)) }
    try writer.write(
      NoisyWords.block, .int16, rowShape: [16_000], clips: clips,
      makeWorker: {
        { index in
          PreparedRows(samples: (0..<16_000).map { Int16($0 &* (index + 3) % 5000 - 2500) })
        }
      })
    try writer.write(
      NoiseRecording.block, .int16, rowShape: [1], clips: [PreparedClip(file: "n", label: 10)],
      makeWorker: {
        { _ in
          var rows = PreparedRows(samples: (0..<20_000).map { Int16($0 &* 7919 % 20_000 - 9000) })
          rows.rows = 20_000
          return rows
        }
      })
    _ = try writer.finish()
    return try NoisyWords(
      PreparedFolder(folder), features: WordFeatures(.init()), mixing: mixing)
  }

  private func features(
    _ words: NoisyWords, _ rows: [Int], epoch: Int, augments: Bool = true
  ) throws -> [[Float]] {
    var writer = words.makeWriter(ExampleDraw(seed: 5, epoch: epoch, augments: augments))
    return try rows.map { row in
      var features = [Float](repeating: 0, count: words.exampleSize)
      try features.withUnsafeMutableBufferPointer {
        if let base = $0.baseAddress { try writer.write(row, to: base) }
      }
      return features
    }
  }

  @Test func noiseFollowsFromSeedEpochAndRowAlone() throws {
    let words = try noisyWords(NoiseMixing(probability: 0.8, volumeMax: 0.1, isDrawnOnce: false))
    let rows = Array(0..<20)
    let first = try features(words, rows, epoch: 0)
    #expect(try features(words, rows.reversed(), epoch: 0) == first.reversed())
    let second = try features(words, rows, epoch: 1)
    let plain = try features(words, rows, epoch: 0, augments: false)
    #expect(first.allSatisfy { $0.count == 490 && $0.allSatisfy(\.isFinite) })
    // Of 20 clips each gets noise with probability 0.8.
    let noisy = zip(first, plain).filter { $0 != $1 }.count
    #expect((12...19).contains(noisy))
    #expect(zip(first, second).filter { $0 != $1 }.count >= 16)
    let quiet = try noisyWords(nil)
    #expect(try features(quiet, rows, epoch: 3) == plain)
  }

  @Test func oneDrawMayServeAllClips() throws {
    let words = try noisyWords(NoiseMixing(probability: 1, volumeMax: 0.1, isDrawnOnce: true))
    let rows = Array(0..<20)
    let first = try features(words, rows, epoch: 0)
    #expect(try features(words, rows, epoch: 4) == first)
    #expect(try features(words, rows, epoch: 0, augments: false) != first)
  }
}
