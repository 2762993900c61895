//! A search that takes a second or two, as files. Knows nothing of who runs it.

extension Workspace {
  /// `pipelines/tiny.yaml`: a network of no use that is trained, then searched with so many trials.
  package static func tinySearch(trials: Int) throws -> Workspace {
    let workspace = try Workspace()
    try workspace.write(
      """
      experiment: tiny
      dataset:
        kind: cifar10
        source: synthetic
        synthetic: {training_images: 60, test_images: 10, seed: 3}
      network: {kind: resnet}
      training: {batch_size: 20, optimizer: adam, learning_rate: 0.001}
      pretrain: {epochs: 1}
      search: {trials: \(trials), epochs: 2, subset: {training: 40, validation: 20}}
      numerics: {threads: 1, isa: sse41}

      """, to: "experiments/tiny.yaml")
    try workspace.write(
      "pipeline: tiny\nexperiment: tiny\nstages: {pretrain: {}, search: {needs: pretrain}}\n",
      to: "pipelines/tiny.yaml")
    return workspace
  }
}
