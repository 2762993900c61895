//! What only shiftwork is asked in the runner's benchmark: a plan of very many stages, and a sweep of
//! an experiment written out and checked. Knows no time.

import Files

/// A file and the command that is timed on it.
enum RunnerScale: String, CaseIterable {
  /// Every stage of a large sweep, planned in an empty store.
  case plan
  /// Every point of a sweep over an experiment, read, resolved and checked.
  case sweep

  /// Points of the sweep.
  var points: Int {
    switch self {
    case .plan: 20_000
    case .sweep: 500
    }
  }

  /// Stages of all points.
  var stages: Int { points * (self == .plan ? RunnerWorkload.steps.count : Self.names.count) }

  private static let names = ["pretrain", "quantize", "fine_tune", "evaluate"]

  /// The command line after the program, in the folder that `write` filled.
  var arguments: [String] {
    switch self {
    case .plan: ["plan", "pipelines/large.yaml"]
    case .sweep: ["check", "pipelines/points.yaml"]
    }
  }

  func write(to folder: String) throws {
    try Files.createDirectories(folder + "/pipelines")
    try Files.createDirectories(folder + "/experiments")
    switch self {
    case .plan: try Files.writeAtomically(large, to: folder + "/pipelines/large.yaml")
    case .sweep:
      try Files.writeAtomically(Self.experiment, to: folder + "/experiments/points.yaml")
      try Files.writeAtomically(Self.pipeline, to: folder + "/pipelines/points.yaml")
    }
  }

  private var large: String {
    var text = "pipeline: large\nstages:\n"
    for (index, step) in RunnerWorkload.steps.enumerated() {
      let before = index == 0 ? "/dev/null" : "${inputs.\(RunnerWorkload.steps[index - 1])}/x.txt"
      text += """
          \(step):
            kind: command
            run: sh step.sh \(step) \(before) ${output}/x.txt ${params.lr}
            params: {lr: 0}

        """
      if index > 0 { text += "    needs: \(RunnerWorkload.steps[index - 1])\n" }
    }
    let range = "{range: {from: 1, to: \(points), count: \(points)}}"
    return text + "sweep: {product: {stages.load.params.lr: \(range)}}\n"
  }

  private static let experiment = """
    experiment: points
    dataset:
      kind: cifar10
      source: synthetic
      synthetic: {training_images: 60, test_images: 10, seed: 3}
      augment: {rotation_degrees: 15, shift: 0.1, horizontal_flip: true}
    network: {kind: resnet}
    training:
      batch_size: 20
      optimizer: adam
      learning_rate: {kind: exponential, initial: 0.001, decay: 0.99}
      callbacks:
        - csv_logger
        - model_checkpoint: {monitor: val_accuracy}
        - early_stopping: {patience: 20, restore_best_weights: true}
    pretrain: {epochs: 20}
    quantizers:
      kernel: quantized_bits(4,4,1,1,alpha='auto_po2')
      bias: quantized_bits(16,16,1,1,alpha='auto')
      activation: quantized_bits_featuremap(8,8,1,1,alpha='auto',scale_axis=0)
    fine_tune: {epochs: 7}

    """

  private static let pipeline = """
    pipeline: points
    experiment: points
    stages:
      pretrain: {}
      quantize: {needs: pretrain}
      fine_tune: {needs: quantize}
      evaluate: {needs: fine_tune}
    sweep:
      product:
        seed: {range: {from: 1, to: 10, step: 1}}
        fine_tune.epochs: {range: {from: 1, to: 10, step: 1}}
        fine_tune.batch_size: [10, 20, 30, 40, 50]

    """
}
