//! Machine sounds and spoken words from WAV trees through the real programs: what is prepared, what
//! runs again, what is said of files that are wrong.

import Foundation
import TestSupport
import Testing

@Suite struct SoundDataTests {
  let workspace: Workspace

  static let machines = """
    experiment: machines
    dataset:
      kind: dcase2020
      root: machines/ToyFan
      features: {from_frame: 2, to_frame: 40}
      split: {validation: 0.2, by: clip}
    network: {kind: fc_autoencoder}
    training: {batch_size: 50, loss: mse, metrics: [], learning_rate: 0.001}
    pretrain: {epochs: 2}
    evaluate: {batch_size: 64}
    numerics: {threads: 1, isa: sse41}

    """
  static let words = """
    experiment: words
    dataset:
      kind: speech_commands
      root: words
      augment: {background_noise: {probability: 0.8, volume_max: 0.1}}
    network: {kind: ds_cnn}
    training: {batch_size: 8, learning_rate: 0.001}
    pretrain: {epochs: 1}
    evaluate: {batch_size: 8}
    numerics: {threads: 1, isa: sse41}

    """

  init() throws {
    workspace = try Workspace()
    for (name, experiment) in [("machines", Self.machines), ("words", Self.words)] {
      try workspace.write(experiment, to: "experiments/\(name).yaml")
      try workspace.write(
        """
        pipeline: \(name)
        experiment: \(name)
        stages:
          pretrain: {}
          evaluate: {needs: pretrain}

        """, to: "pipelines/\(name).yaml")
    }
  }

  private struct Event: Decodable {
    var stage: String
    var state: String
    var artifact: String?
  }

  private func run(_ name: String, _ arguments: String...) throws -> [Event] {
    let outcome = try workspace.run(
      "shiftwork", ["run", "pipelines/\(name).yaml", "--json"] + arguments)
    #expect(outcome.code == 0, "\(outcome.error)")
    return try outcome.out.split(separator: "\n").map {
      try JSONDecoder().decode(Event.self, from: Data($0.utf8))
    }
  }

  /// What fails, and how.
  private func failure(_ name: String, _ arguments: String...) throws -> String {
    let outcome = try workspace.run(
      "shiftwork", ["run", "pipelines/\(name).yaml"] + arguments)
    #expect(outcome.code == 1)
    // Nothing of a failed stage is in the store or among the results.
    #expect(!workspace.files.contains { $0.hasPrefix("results/\(name)/data_training/") })
    let folders = { (name: String) in
      Set(
        workspace.files.filter { ($0 as NSString).lastPathComponent.hasSuffix(name) }
          .map { ($0 as NSString).deletingLastPathComponent })
    }
    #expect(folders(".samples").isSubset(of: folders("prepared.json")))
    return outcome.error
  }

  private func metrics(_ stage: String) throws -> [String: Double] {
    try JSONDecoder().decode(
      [String: Double].self,
      from: Data(workspace.read("results/\(stage)/metrics.json").utf8))
  }

  @Test func machinesFromWAVToAreas() throws {
    try workspace.writeMachines("machines/ToyFan")
    let first = try run("machines").filter { $0.state == "done" }
    #expect(first.map(\.stage).sorted() == ["data_test", "data_training", "evaluate", "pretrain"])
    #expect(try run("machines").allSatisfy { $0.state == "hit" })
    let data = try metrics("machines/data_training")
    #expect(data["frames_clips"] == 12 && data["frames_rows"] == 12 * 38)
    let metrics = try metrics("machines/evaluate")
    #expect(metrics["clips"] == 12 && metrics["windows"] == 12 * 34)
    #expect((metrics["auc"] ?? -1) >= 0.5)
    let ids = [metrics["auc_id_01"], metrics["auc_id_02"]].compactMap { $0 }
    #expect(ids.count == 2 && abs(ids.reduce(0, +) / 2 - (metrics["auc"] ?? -1)) < 1e-12)
    let result = try workspace.read("results/machines/evaluate/result.csv").split(separator: "\n")
    #expect(result.prefix(2) == ["ToyFan", "id,AUC,pAUC"] && result.count == 5)
    let scores = try workspace.read("results/machines/evaluate/anomaly_score_ToyFan_id_02.csv")
      .split(separator: "\n")
    #expect(scores.count == 6 && scores[0].hasPrefix("anomaly_id_02_00000000.wav,"))
    #expect(!workspace.files.contains { $0.hasPrefix("results/") && $0.hasSuffix(".samples") })

    // The number of threads decides nothing that is prepared.
    let threads = try run("machines", "--set", "numerics.threads=2")
    #expect(
      threads.filter { $0.stage.hasPrefix("data_") }.allSatisfy { $0.state == "hit" })
    // A test file is no business of training's.
    try workspace.write(
      SoundTree.wav(SoundTree.samples(24_000, period: 50, seed: 1)),
      to: "machines/ToyFan/test/normal_id_01_00000009.wav")
    let changed = try run("machines").filter { $0.state == "done" }
    #expect(changed.map(\.stage) == ["data_test", "evaluate"])
  }

  @Test func additionalTrainingSetsAreMerged() throws {
    try workspace.writeMachines("machines/ToyFan")
    try workspace.write(
      SoundTree.wav(SoundTree.samples(24_000, period: 60, seed: 1)),
      to: "more/ToyFan/train/normal_id_05_00000000.wav")
    let roots = "dataset.root=[machines/ToyFan, more/ToyFan]"
    _ = try run("machines", "--set", roots)
    #expect(try metrics("machines/data_training")["frames_clips"] == 13)
    #expect(try metrics("machines/data_test")["frames_clips"] == 12)
  }

  @Test func wrongMachineFilesAreNamed() throws {
    try workspace.writeMachines("machines/ToyFan")
    let file = "machines/ToyFan/train/normal_id_01_00000003.wav"
    let whole = try Data(contentsOf: URL(fileURLWithPath: workspace.path(file)))
    let samples = SoundTree.samples(24_000, period: 60, seed: 1)
    for (data, message) in [
      (whole.prefix(20_000), "truncated"), (Data(), "the file is empty"),
      (Data("no sound at all, only text".utf8), "no sound format"),
      (SoundTree.wav(samples, rate: 8000), "8000 samples a second, expected 16000"),
      (SoundTree.wav(Array(samples.prefix(2000))), "too short: it has 4 frames, 7 are needed"),
    ] {
      try workspace.write(data, to: file)
      let error = try failure("machines")
      #expect(error.contains("stage `data_training` failed: \(file): "), "\(error)")
      #expect(error.contains(message), "\(error)")
    }
    try workspace.write(whole, to: file)
    #expect(
      try failure("machines", "--set", "dataset.channel=1").contains(
        "it has 1 channel, and channel 1 (counted from 0) was asked for"))
    try workspace.write(whole, to: "machines/ToyFan/train/recording.wav")
    #expect(
      try failure("machines").contains("machines/ToyFan/train: what is `recording.wav`?"))
  }

  @Test func wordsFromWAVToAccuracy() throws {
    try workspace.writeWords("words")
    let first = try run("words").filter { $0.state == "done" }
    #expect(first.map(\.stage).sorted() == ["data_test", "data_training", "evaluate", "pretrain"])
    let data = try metrics("words/data_training")
    // 20 of known words, 2 unknown, 2 of silence; 10 + 1 + 1 validate.
    #expect(data["clips_clips"] == 24 && data["validation_clips"] == 12)
    #expect(data["noise_clips"] == 2 && data["noise_rows"] == 40_000)
    #expect(try metrics("words/evaluate")["clips"] == 12)
    #expect(try run("words").allSatisfy { $0.state == "hit" })
    // Without noise the clips are stored as features.
    _ = try run("words", "--set", "dataset.augment.background_noise.probability=0")
    #expect(try metrics("words/data_training")["training_clips"] == 24)
    _ = try run("words", "--set", "dataset.augment.background_noise.draw=once_per_run")
    _ = try run("words", "--set", "dataset.split={by: hash}")
  }

  @Test func wrongWordTreesAreNamed() throws {
    try workspace.write("text", to: "words/notes/readme.txt")
    let none = try failure("words", "--set", "dataset.split={by: hash}")
    #expect(
      none.contains("stage `data_training` failed: words: has no folder of a class (down, go, "),
      "\(none)")
    try workspace.writeWords("words")
    try workspace.write(SoundTree.wav([1, 2, 3], rate: 44_100), to: "words/go/s0_nohash_0.wav")
    let rate = try failure("words")
    #expect(rate.contains("words/go/s0_nohash_0.wav: "), "\(rate)")
    #expect(rate.contains("44100 samples a second, expected 16000"))
  }

  @Test func missingFoldersAreFaultsBeforeAnythingRuns() throws {
    let outcome = try workspace.run("shiftwork", ["run", "pipelines/machines.yaml"])
    #expect(outcome.code == 2)
    #expect(
      outcome.error.contains(
        "error: dcase2020 is missing: there is no folder machines/ToyFan/train\n"))
    #expect(outcome.error.contains("https://zenodo.org/record/3678171"))
    let idle = try workspace.run(
      "shiftwork", ["check", "pipelines/words.yaml", "--set", "dataset.split.validation=0.2"])
    #expect(idle.error.contains("warning: `validation` has no effect here: lists divide the clips"))
    let named = try workspace.run(
      "shiftwork",
      ["check", "pipelines/machines.yaml", "--set", "stages.data_test={kind: evaluate}"])
    #expect(named.code == 2)
    #expect(named.error.contains("`data_test` is the stage that prepares data"))
  }
}
