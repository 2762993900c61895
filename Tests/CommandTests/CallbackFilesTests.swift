//! A training with every callback through the real programs: the files that they leave, and faults
//! between fields.

import Foundation
import TestSupport
import Testing

@Suite struct CallbackFilesTests {
  private static let experiment = """
    experiment: tiny
    dataset:
      kind: cifar10
      source: synthetic
      synthetic: {training_images: 60, test_images: 25, seed: 3}
    network: {kind: resnet}
    training:
      batch_size: 20
      optimizer: {kind: sgd, momentum: 0.9, nesterov: true}
      learning_rate: 0.001
      loss: categorical_crossentropy
      test_metrics: true
      callbacks:
        - csv_logger
        - model_checkpoint: {monitor: val_accuracy}
        - early_stopping: {patience: 5, restore_best_weights: true, start_from_epoch: 1}
        - reduce_lr_on_plateau: {factor: 0.5, patience: 1, min_delta: 1000.0}
        - terminate_on_nan
        - layer_statistics
        - tensorboard: {histogram_freq: 2}
    pretrain: {epochs: 3}
    quantizers:
      kernel: quantized_bits(4,4,1,1,alpha='auto_po2')
      bias: quantized_bits(31,31,1,1,alpha='auto_po2')
      activation: float
    fine_tune: {epochs: 1}
    numerics: {threads: 1, isa: sse41}

    """

  private static let pipeline = """
    pipeline: tiny
    experiment: tiny
    stages:
      pretrain: {}
      quantize: {needs: pretrain}
      fine_tune: {needs: quantize}

    """

  let workspace: Workspace

  init() throws {
    workspace = try Workspace()
    try workspace.write(Self.experiment, to: "experiments/tiny.yaml")
    try workspace.write(Self.pipeline, to: "pipelines/tiny.yaml")
  }

  private func rows(_ path: String) throws -> [[String]] {
    try workspace.read("results/tiny/" + path).split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
  }

  @Test func everyCallbackLeavesItsFile() throws {
    let outcome = try workspace.run("shiftwork", ["run", "pipelines/tiny.yaml"])
    #expect(outcome.code == 0, "\(outcome.error)")
    let log = try rows("pretrain/log.csv")
    #expect(
      log.first == [
        "epoch", "accuracy", "loss", "lr", "test_accuracy", "test_loss", "val_accuracy", "val_loss",
      ])
    #expect(log.dropFirst().map { $0[3] } == ["0.001", "0.001", "0.0005"])

    let table = try rows("fine_tune/layer_statistics.csv")
    #expect(table.first?.count == 10)
    // Ten weighted layers, kernel and bias of each.
    #expect(table.count == 1 + 20)
    #expect(
      table.dropFirst().prefix(2).map { $0[1] + "/" + $0[2] } == ["conv2d/kernel", "conv2d/bias"])
    // What the thesis met: 31 bits under auto_po2 leave no bias, and 4 bits leave a kernel.
    let biases = table.filter { $0[2] == "bias" }
    #expect(biases.allSatisfy { $0[5] == "1.0" || Double($0[3]) == 0 })
    #expect(table.filter { $0[2] == "kernel" }.allSatisfy { Double($0[9]).map { $0 > 5 } == true })
    // Nothing is quantized before.
    #expect(
      try rows("pretrain/layer_statistics.csv").last?[5...] == ["NA", "NA", "NA", "NA", "NA"])

    for run in ["train", "validation", "test"] {
      #expect(
        workspace.files.contains { $0.hasPrefix("results/tiny/pretrain/tensorboard/\(run)/") })
    }
  }

  @Test(.enabled("needs python3-venv, pip and a network") { TensorBoardReader.shared != nil })
  func tensorBoardShowsWhatTheLogSays() throws {
    let outcome = try workspace.run("shiftwork", ["run", "pipelines/tiny.yaml"])
    #expect(outcome.code == 0, "\(outcome.error)")
    let reader = try #require(TensorBoardReader.shared)
    let folder = workspace.path("results/tiny/pretrain/tensorboard")
    let train = try reader.read(folder + "/train")
    #expect(Set(train.scalars.keys) == ["epoch_accuracy", "epoch_loss", "epoch_lr"])
    let validation = try reader.read(folder + "/validation")
    #expect(Set(validation.scalars.keys) == ["epoch_accuracy", "epoch_loss"])
    let log = try rows("pretrain/log.csv").dropFirst()
    #expect(train.scalars["epoch_loss"]?.map(\.value) == log.map { Float($0[2]) })
    #expect(validation.scalars["epoch_loss"]?.map(\.value) == log.map { Float($0[7]) })
    #expect(train.histograms["conv2d/kernel_0/histogram"]?.map(\.step) == [0, 2])
    #expect(train.histograms["conv2d/kernel_0/histogram"]?.map(\.num) == [432, 432])
    #expect(train.histograms["batch_normalization/moving_variance_0/histogram"]?.count == 2)
    #expect(validation.histograms.isEmpty)
  }

  /// A schedule sets the rate anew each epoch, so a callback that lowers it is worth a word.
  @Test func aScheduleOverridesTheReduction() throws {
    let outcome = try workspace.run(
      "shiftwork",
      [
        "check", "pipelines/tiny.yaml", "--set",
        "training.learning_rate={kind: cosine, initial: 0.01, decay_epochs: 3}",
      ])
    #expect(outcome.code == 0)
    let words = "warning: reduce_lr_on_plateau has no effect under a schedule"
    #expect(outcome.error.components(separatedBy: words).count == 2, "\(outcome.error)")
  }
}
