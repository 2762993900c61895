//! Fields as stages get them.

import Diagnostics
import Experiments
import Files
import Networks
import Pipeline
import TestSupport
import Testing

@Suite struct ResolutionTests {
  let workspace: Workspace

  init() throws {
    workspace = try Workspace()
    for file in ["experiments/small.yaml", "pipelines/small.yaml"] {
      try workspace.copy(TestPaths.fixtures + "/small/" + file, to: file)
    }
  }

  private func stage(_ name: String, _ overrides: String...) throws -> Stage {
    let resolved = try ResolvedPipeline(
      PipelineRequest(
        path: workspace.path("pipelines/small.yaml"), overrides: overrides, requiresFiles: false))
    let index = try #require(resolved.graph.index(of: name))
    return resolved.graph.stages[index]
  }

  @Test func overridesWinInOrder() throws {
    let stage = try stage(
      "fine_tune", "training.batch_size=20", "fine_tune.batch_size=25",
      "fine_tune.learning_rate={kind: exponential, initial: 0.01, decay: 0.5}")
    let fields = try stage.fields.decode(as: FineTuneFields.self)
    #expect(fields.training.batchSize == 25)
    #expect(fields.training.learningRate == .exponential(initial: 0.01, decay: 0.5))
    #expect(fields.training.epochs == 5)
    let again = try self.stage("fine_tune", "fine_tune.epochs=7", "stages.fine_tune.epochs=9")
    #expect(try again.fields.decode(as: FineTuneFields.self).training.epochs == 9)
  }

  @Test func theMapIsComplete() throws {
    let fields = try stage("quantize").fields.decode(as: QuantizeFields.self)
    let network = Network.resnet()
    for slot in network.slots { #expect(fields.quantizers[slot] != nil) }
  }

  @Test func exceptionsWinByRank() throws {
    let four = "\"quantized_bits(4,4,1,1,alpha='auto')\""
    let two = "\"quantized_bits(2,2,1,1,alpha='auto')\""
    let fields = try stage(
      "quantize",
      "quantizers.layers={Conv2D: {kernel: \(four)}, \"conv2d_[12]\": {kernel: \(two)}, "
        + "conv2d_1: {kernel: float}}"
    ).fields.decode(as: QuantizeFields.self)
    #expect(fields.quantizers.kernels["conv2d"]?.bits == 4)
    #expect(fields.quantizers.kernels["conv2d_1"] == nil)
    #expect(fields.quantizers.kernels["conv2d_2"]?.bits == 2)
    #expect(fields.quantizers.kernels["dense"]?.bits == 8)
    #expect(fields.quantizers.biases["conv2d_1"]?.bits == 16)
  }

  @Test func searchChoicesFollowTheNetwork() throws {
    let text = try workspace.read("pipelines/small.yaml")
    try workspace.write(text + "  search: {needs: pretrain}\n", to: "pipelines/small.yaml")
    let whole = try stage("search").fields.decode(as: SearchStageFields.self).search
    let slots = Network.resnet().slots
    #expect(whole.choices.count == slots.count)
    #expect(whole.choices[0].role == .kernel)
    #expect(whole.choices[0].slots == ["conv2d"])
    #expect(whole.choices[0].candidates.map(\.bits) == [4, 8, 16])
    let limited = try stage(
      "search", "search.limit={\"conv2d_[1-9]\": [8, 16, 8], Conv2D: [4, 31, 16], Activation: [8]}"
    ).fields.decode(as: SearchStageFields.self).search
    #expect(limited.choices[0].candidates.map(\.bits) == [4])
    let shared = limited.choices.filter { $0.slots.count > 1 }
    #expect(shared.map(\.role) == [.kernel, .bias])
    #expect(shared[0].candidates.map(\.bits) == [4, 8])
    #expect(!limited.choices.contains { $0.slots.contains("dense") })
  }

  /// Lists in a limit, by bits and by quantizers, and layers that keep the experiment's.
  @Test func limitsMayListAndLayersMayBeFrozen() throws {
    let text = try workspace.read("pipelines/small.yaml")
    try workspace.write(text + "  search: {needs: pretrain}\n", to: "pipelines/small.yaml")
    let list = "[[8, 4], [\"quantized_bits(12,12,1,1,alpha='auto')\"], [16]]"
    let choices = try stage(
      "search", "search.limit={Conv2D: \(list), Dense: [16, 31, 16], Activation: [[4, 16]]}",
      "search.frozen=[conv2d_1, \"activation_[12]\"]"
    ).fields.decode(as: SearchStageFields.self).search.choices
    #expect(choices.count == Network.resnet().slots.count)
    func bits(_ role: ChoiceFields.Role, _ slot: String) -> [Int] {
      choices.filter { $0.role == role && $0.slots == [slot] }.flatMap { $0.candidates.map(\.bits) }
    }
    #expect(bits(.kernel, "conv2d") == [8, 4] && bits(.bias, "conv2d") == [12])
    #expect(bits(.kernel, "dense") == [4, 8, 16] && bits(.activation, "activation") == [4, 16])
    #expect(bits(.kernel, "conv2d_1") == [8] && bits(.bias, "conv2d_1") == [16])
    #expect(bits(.activation, "activation_1") == [8] && bits(.activation, "activation_2") == [8])
  }

  @Test func realDataNamesItsFilesByPart() throws {
    let tuned = try stage("fine_tune", "dataset.source=real", "dataset.root=d")
    #expect(
      tuned.inputs.map(\.role) == ["model"] + (1...5).map { "dataset/data_batch_\($0)" })
    let measured = try stage("evaluate", "dataset.source=real", "dataset.root=d/")
    #expect(measured.inputs.map(\.role) == ["model", "dataset/test_batch"])
    guard case .file("d/test_batch", _) = measured.inputs[1].source else {
      Issue.record("\(measured.inputs[1].source)")
      return
    }
  }

  @Test func dataStandsForItsFolder() throws {
    try workspace.write(
      workspace.read("experiments/small.yaml").replacing(
        "source: synthetic}", with: "root: \"${data}/cifar\"}"), to: "experiments/small.yaml")
    let resolved = try ResolvedPipeline(
      PipelineRequest(
        path: workspace.path("pipelines/small.yaml"), data: "/some/where", requiresFiles: false))
    let index = try #require(resolved.graph.index(of: "evaluate"))
    guard case .file(let path, _) = resolved.graph.stages[index].inputs[1].source else { return }
    #expect(path == "/some/where/cifar/test_batch")
    #expect(resolved.warnings.count == 1)
  }

  @Test func switchingNamesSlots() throws {
    let text = try workspace.read("pipelines/small.yaml")
    try workspace.write(
      text + "  switch_to_auto_po2: {needs: quantize, layers: [Dense, \"conv2d_[0-1]\"]}\n"
        + "  all: {kind: switch_alpha, to: best_po2, needs: quantize, layers: [\".*\"]}\n",
      to: "pipelines/small.yaml")
    let some = try stage("switch_to_auto_po2").fields.decode(as: SwitchAlphaFields.self)
    #expect(some.to == .autoPo2)
    #expect(some.layers == ["conv2d_1", "dense"])
    let all = try stage("all").fields.decode(as: SwitchAlphaFields.self)
    #expect(all.to == .bestPo2)
    #expect(all.layers == nil)
  }
}
