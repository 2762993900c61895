//! Real recordings and MLPerf Tiny's pretrained networks through the real programs: scores that are
//! known.

import Foundation
import TestSupport
import Testing

@Suite(.enabled(if: TestPaths.sharedData != nil, "needs the shared data"))
struct RealSoundTests {
  private let data = TestPaths.sharedData ?? ""
  let workspace: Workspace

  init() throws {
    workspace = try Workspace()
    for name in ["anomaly_detection", "keyword_spotting"] {
      try workspace.copy(
        "\(TestPaths.root)/experiments/\(name).yaml", to: "experiments/\(name).yaml")
      try workspace.write(
        """
        pipeline: \(name)
        experiment: \(name)
        stages:
          load_pretrained: {}
          evaluate: {needs: load_pretrained}

        """, to: "pipelines/\(name).yaml")
    }
    try workspace.write(
      """
      pipeline: trained
      experiment: anomaly_detection
      stages:
        pretrain: {epochs: 3}
        evaluate: {needs: pretrain}

      """, to: "pipelines/trained.yaml")
  }

  private func evaluate(_ pipeline: String, _ overrides: String...) throws -> [String: Double] {
    let outcome = try workspace.run(
      "shiftwork", ["run", "pipelines/\(pipeline).yaml"] + overrides.flatMap { ["--set", $0] })
    #expect(outcome.code == 0, "\(outcome.error)")
    return try JSONDecoder().decode(
      [String: Double].self,
      from: Data(workspace.read("results/\(pipeline)/evaluate/metrics.json").utf8))
  }

  /// By clip, a table's scores.
  private func scores(_ text: String, file: Int, score: Int) -> [String: Double] {
    let rows = text.split(whereSeparator: \.isNewline).map { $0.split(separator: ",") }
    return rows.reduce(into: [:]) { scores, row in
      if let value = Double(row[score]) { scores[String(row[file].prefix { $0 != "." })] = value }
    }
  }

  @Test func theAutoencodersScoresAreMLPerfs() throws {
    let metrics = try evaluate(
      "anomaly_detection", "pretrained.path=\(data)/keras_models/ad01.h5",
      "dataset.test_features=\(data)/toyadmos/ToyCar/ad01_features", "dataset.machine=ToyCar")
    #expect((metrics["auc_pooled"] ?? 0) > 0.8 && metrics["auc_id_04"] != nil)
    let reference = scores(
      try String(
        contentsOfFile: data + "/keras_models/reference_outputs/ad01__ad01_features.csv",
        encoding: .utf8), file: 0, score: 2)
    let ours = scores(
      try workspace.read("results/anomaly_detection/evaluate/predictions.csv"), file: 0, score: 4)
    #expect(ours.count >= 80)
    for (file, score) in ours {
      #expect(abs(score - (reference[file] ?? .infinity)) < 1e-4, "\(file)")
    }
  }

  @Test func theAutoencoderScoresRecordings() throws {
    _ = try evaluate(
      "anomaly_detection", "pretrained.path=\(data)/keras_models/ad01.h5",
      "dataset.root=\(data)/toyadmos/ToyCar")
    let file = "anomaly_score_ToyCar_id_01.csv"
    let reference = scores(
      try String(contentsOfFile: data + "/toyadmos/ToyCar/mlperf_scores/\(file)", encoding: .utf8),
      file: 0, score: 1)
    let ours = scores(
      try workspace.read("results/anomaly_detection/evaluate/\(file)"), file: 0, score: 1)
    #expect(ours.count == 2)
    for (file, score) in ours {
      #expect(abs(score - (reference[file] ?? .infinity)) < 1e-4, "\(file)")
    }
  }

  @Test func anAutoencoderIsTrainedFromRecordings() throws {
    let metrics = try evaluate("trained", "dataset.root=\(data)/toyadmos/dcase2020_id_00")
    #expect(metrics["clips"] == 11 && metrics["auc_id_00"]?.isFinite == true)
  }

  @Test func theWordsScoreWhatTheyAreKnownToScore() throws {
    let weights = "pretrained.path=\(data)/keras_models/kws_ref_model_exported.h5"
    let recordings = try evaluate(
      "keyword_spotting", weights,
      "dataset.test_root=\(data)/speech_commands/speech_commands_test_set_v0.02")
    #expect(recordings["clips"] == 1166 && (recordings["accuracy"] ?? 0) >= 0.9)
    let codes = try evaluate(
      "keyword_spotting", weights, "dataset.test_root=null",
      "dataset.test_features=\(data)/speech_commands/mlperf_tiny_kws01")
    #expect(codes["clips"] == 1000 && codes["correct"] == 913)
  }
}
