//! The main job on real CIFAR-10 images and MLPerf Tiny's pretrained network, and what is said
//! where a file is not what it should be.

import Foundation
import TestSupport
import Testing

@Suite(.enabled(if: TestPaths.sharedData != nil, "needs the shared data"))
struct RealDataTests {
  private let data = TestPaths.sharedData ?? ""
  let workspace: Workspace

  init() throws {
    workspace = try Workspace()
    try workspace.copy(TestPaths.root + "/experiments/cifar10.yaml", to: "experiments/cifar10.yaml")
    try workspace.write(
      """
      pipeline: real
      experiment: cifar10
      stages:
        load_pretrained: {}
        evaluate_float: {kind: evaluate, needs: load_pretrained}
        quantize: {needs: load_pretrained}
        switch_to_best_po2: {needs: quantize}
        evaluate_best_po2: {kind: evaluate, needs: switch_to_best_po2}

      """, to: "pipelines/real.yaml")
  }

  private func run(_ arguments: String...) throws -> CommandOutcome {
    let root = "dataset.root=\(data)/cifar10/cifar-10-batches-py"
    let weights = "pretrained.path=\(data)/keras_models/pretrainedResnet.h5"
    return try workspace.run(
      "shiftwork", ["run", "pipelines/real.yaml", "--set", root, "--set", weights] + arguments)
  }

  @Test func thePretrainedNetworkScoresWhatItIsKnownToScore() throws {
    let outcome = try run()
    #expect(outcome.code == 0, "\(outcome.error)")
    struct Metrics: Decodable {
      var correct: Int
      var images: Int
    }
    func metrics(_ stage: String) throws -> Metrics {
      try JSONDecoder().decode(
        Metrics.self, from: Data(workspace.read("results/real/\(stage)/metrics.json").utf8))
    }
    let float = try metrics("evaluate_float")
    #expect(float.images == 1000 && (879...883).contains(float.correct))
    // Post-training quantization with the least-squares powers of two costs next to nothing.
    #expect(try metrics("evaluate_best_po2").correct >= 870)
    #expect(try largestDifference() < 1e-3)
  }

  /// Of the float network's class probabilities from TensorFlow's.
  private func largestDifference() throws -> Double {
    func rows(_ text: String, dropping columns: Int) -> [[Double]] {
      text.split(whereSeparator: \.isNewline).dropFirst().map { line in
        line.split(separator: ",").dropFirst(columns).compactMap { Double($0) }
      }
    }
    let ours = rows(try workspace.read("results/real/evaluate_float/predictions.csv"), dropping: 3)
    let path =
      data + "/keras_models/reference_outputs/pretrainedResnet__cifar10_test_batch_1000.csv"
    let theirs = rows(try String(contentsOfFile: path, encoding: .utf8), dropping: 2)
    try #require(ours.count == 1000 && theirs.count == 1000)
    return zip(ours, theirs).flatMap { zip($0, $1).map { abs($0 - $1) } }.max() ?? .infinity
  }

  @Test func anotherNetworksWeightsAreRefused() throws {
    let file = "\(data)/keras_models/kws_ref_model_exported.h5"
    let outcome = try run("--set", "pretrained.path=\(file)")
    #expect(outcome.code == 1)
    #expect(
      outcome.error.hasPrefix(
        "error: stage `load_pretrained` failed: \(file): the weights are not this network's\n"))
    #expect(outcome.error.contains("conv2d/kernel is [10, 4, 1, 64], [3, 3, 3, 16] is expected"))
    #expect(!workspace.files.contains { $0.hasPrefix("results/real/load_pretrained/") })
  }

  @Test func aTruncatedBatchIsNamedAndNothingIsHalfWritten() throws {
    let batch = try Data(
      contentsOf: URL(fileURLWithPath: data + "/cifar10/cifar-10-batches-py/test_batch"))
    for name in ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"] {
      try workspace.write("", to: "broken/\(name)")
    }
    try batch.prefix(1_000_000).write(to: URL(fileURLWithPath: workspace.path("broken/test_batch")))
    let outcome = try run("--set", "dataset.root=broken")
    #expect(outcome.code == 1)
    #expect(
      outcome.error.hasPrefix("error: stage `evaluate_float` failed: broken/test_batch: "),
      "\(outcome.error)")
    #expect(!workspace.files.contains { $0.hasPrefix("results/real/evaluate") })
  }
}
