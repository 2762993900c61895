//! Fits that are killed in the midst of their epochs, in the real programs: they go on at their last
//! epoch and leave the bytes of an unbroken run.

import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct EpochResumeTests {
  private static let experiment = """
    experiment: tiny
    dataset:
      kind: cifar10
      source: synthetic
      synthetic: {training_images: 60, test_images: 10, seed: 3}
      augment: {rotation_degrees: 15, shift: 0.1, horizontal_flip: true}
    network: {kind: resnet}
    training:
      batch_size: 20
      optimizer: adam
      learning_rate: 0.001
      test_metrics: true
      callbacks:
        - csv_logger
        - model_checkpoint: {monitor: val_accuracy}
        - early_stopping: {patience: 20, restore_best_weights: true}
        - reduce_lr_on_plateau: {factor: 0.5, patience: 1, min_delta: 1000.0}
        - layer_statistics
        - tensorboard: {histogram_freq: 2}
    pretrain: {epochs: 5}
    quantizers:
      kernel: quantized_bits(4,4,1,1,alpha='auto_po2')
      bias: quantized_bits(16,16,1,1,alpha='auto')
      activation: quantized_bits_featuremap(8,8,1,1,alpha='auto',scale_axis=0)
    fine_tune: {epochs: 5}
    search: {trials: 2, epochs: 4, subset: {training: 40, validation: 20}}
    numerics: {threads: 1, isa: sse41}

    """

  private static let pipeline = """
    pipeline: tiny
    experiment: tiny
    stages:
      pretrain: {}
      quantize: {needs: pretrain}
      fine_tune: {needs: quantize}
      search: {needs: pretrain}

    """

  private static let first = """
    pipeline: first
    experiment: tiny
    stages: {pretrain: {}}

    """

  private static let arguments = ["run", "pipelines/tiny.yaml", "--json"]

  private func workspace() throws -> Workspace {
    let workspace = try Workspace()
    try workspace.write(Self.experiment, to: "experiments/tiny.yaml")
    try workspace.write(Self.pipeline, to: "pipelines/tiny.yaml")
    try workspace.write(Self.first, to: "pipelines/first.yaml")
    return workspace
  }

  @Test func killedFitsEndAsUnbrokenOnes() throws {
    let unbroken = try workspace().run("shiftwork", Self.arguments)
    #expect(unbroken.code == 0, "\(unbroken.error)")

    let workspace = try workspace()
    var random = SeededDelays(seed: 11)
    var said: [RunEvent] = []
    var kills = 0
    var done: Set<String> = []
    while true {
      let command = try RunningCommand("shiftwork", Self.arguments, in: workspace)
      // An attempt gets at least one epoch further: it dies in the second epoch that it begins, or
      // in a later one, at any moment; five do.
      let epochs = kills < 5 ? random.below(3) + 2 : Int.max
      command.waitUntil { out in
        var begun: Set<String> = []
        for event in RunEvent.parse(out) {
          if let epoch = event.epoch {
            begun.insert("\(event.stage) \(event.message?.prefix(7) ?? "") \(epoch)")
          }
        }
        return begun.count >= epochs
      }
      usleep(UInt32(random.below(200_000)))
      if command.isRunning, kills < 5 {
        kills += 1
        if kills % 3 == 0 { command.killLeader() } else { command.killAll() }
      }
      let outcome = command.wait()
      said += RunEvent.parse(outcome.out)
      for event in RunEvent.parse(outcome.out) where event.state == "done" {
        #expect(done.insert(event.stage).inserted, "\(event.stage) ran again")
      }
      if outcome.code == 0 {
        #expect(RunEvent.artifacts(outcome.out) == RunEvent.artifacts(unbroken.out))
        break
      }
      try #require(outcome.code != 1 && outcome.code != 2, "\(outcome.error)")
    }
    #expect(kills >= 3)
    let words = said.compactMap(\.message).filter { $0.contains("resumed at epoch") }
    #expect(!words.isEmpty)
    // A finished stage keeps no checkpoint, and nothing was left out on the way.
    #expect(!workspace.files.contains { $0.hasPrefix(".shiftwork/checkpoints/") })
    for log in workspace.files where log.hasPrefix(".shiftwork/logs/") {
      #expect(try !workspace.read(log).contains("left out"), "\(log)")
    }
  }

  /// Whatever lies where a checkpoint should be: the fit begins at its beginning, says why, and ends
  /// the same.
  @Test func aDamagedCheckpointCostsTimeAlone() throws {
    let arguments = ["run", "pipelines/first.yaml", "--json"]
    let unbroken = try workspace().run("shiftwork", arguments)
    let workspace = try workspace()
    let command = try RunningCommand("shiftwork", arguments, in: workspace)
    command.waitUntil { RunEvent.parse($0).contains { ($0.epoch ?? 0) > 1 } }
    command.killAll()
    let file = try #require(
      workspace.files.first { $0.hasPrefix(".shiftwork/checkpoints/") })
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: workspace.path(file)))
    try handle.truncate(atOffset: 1000)
    try handle.close()
    let outcome = try workspace.run("shiftwork", arguments)
    #expect(RunEvent.artifacts(outcome.out) == RunEvent.artifacts(unbroken.out))
    #expect(!outcome.out.contains("resumed"))
    let logs = try workspace.files.filter { $0.hasPrefix(".shiftwork/logs/") }.map(workspace.read)
    #expect(logs.joined().contains("is left out: it is damaged\n"))
  }
}
