//! What changes a stage's key, and what does not.

import Diagnostics
import Experiments
import Files
import Foundation
import Pipeline
import TestSupport
import Testing

@Suite struct KeyTests {
  let workspace: Workspace

  init() throws {
    workspace = try Workspace()
    for file in ["experiments/small.yaml", "pipelines/small.yaml"] {
      try workspace.copy(TestPaths.fixtures + "/small/" + file, to: file)
    }
  }

  /// Plan keys by stage.
  private func keys(_ overrides: String...) throws -> [String: String] {
    let resolved = try ResolvedPipeline(
      PipelineRequest(path: workspace.path("pipelines/small.yaml"), overrides: overrides))
    let plan = try Plan(graph: resolved.graph, store: Store(root: workspace.path("store")))
    return Dictionary(
      uniqueKeysWithValues: plan.entries.map { ($0.stage.name, $0.planKey.hex) })
  }

  private func changed(_ overrides: String...) throws -> Set<String> {
    let before = try keys()
    let resolved = try ResolvedPipeline(
      PipelineRequest(path: workspace.path("pipelines/small.yaml"), overrides: overrides))
    let plan = try Plan(graph: resolved.graph, store: Store(root: workspace.path("store")))
    return Set(
      plan.entries.filter { before[$0.stage.name] != $0.planKey.hex }.map(\.stage.name))
  }

  private func edit(_ old: String, _ new: String) throws {
    let file = "experiments/small.yaml"
    let text = try workspace.read(file)
    #expect(text.contains(old))
    try workspace.write(text.replacingOccurrences(of: old, with: new), to: file)
  }

  private static let all: Set<String> = ["pretrain", "quantize", "fine_tune", "evaluate"]

  @Test func spellingDoesNotCount() throws {
    let before = try keys()
    try edit("learning_rate: 0.001", "learning_rate: 1e-3")
    try edit("{batch_size: 30, optimizer: adam", "{optimizer: {kind: adam}, batch_size: 30")
    try edit("experiment: small\n", "# a comment\n\nexperiment: small\n")
    try edit("alpha='auto')\n  bias", "alpha=\"auto\")  # wide\n  bias")
    try edit(
      "quantized_bits(16,16,1,1,alpha='auto')", "\"quantized_bits(16, 16, True, 1, 'auto')\"")
    #expect(try keys() == before)
  }

  @Test func aDefaultWrittenOutDoesNotCount() throws {
    #expect(try changed("dataset.split={validation: 0.1, seed: 42}").isEmpty)
    #expect(try changed("training.optimizer={kind: adam, beta_1: 0.9, epsilon: 1e-7}").isEmpty)
    #expect(try changed("training.metrics=[accuracy]", "seed=42").isEmpty)
    #expect(try changed("training.learning_rate={kind: constant, initial: 0.001}").isEmpty)
    #expect(try changed("numerics={threads: \(Processor.cores)}").isEmpty)
    #expect(try changed("dataset.root=elsewhere", "pretrained.path=other.h5").isEmpty)
  }

  @Test func epochsOfFineTuningChangeTwoStages() throws {
    #expect(try changed("fine_tune.epochs=7") == ["fine_tune", "evaluate"])
    #expect(try changed("stages.fine_tune.epochs=7") == ["fine_tune", "evaluate"])
    #expect(try changed("fine_tune.epochs=5").isEmpty)
  }

  @Test func eachFieldChangesWhatItShould() throws {
    #expect(try changed("evaluate.batch_size=50") == ["evaluate"])
    #expect(try changed("dataset.synthetic.test_images=77") == ["evaluate"])
    #expect(try changed("dataset.subset={test: 100}") == ["evaluate"])
    #expect(try changed("seed=43") == Self.all)
    #expect(try changed("dataset.synthetic.training_images=500") == Self.all)
    #expect(try changed("numerics.threads=\(Processor.cores + 1)") == Self.all)
    #expect(
      try changed("quantizers.kernel=\"quantized_bits(4,4,1,1,alpha='auto')\"")
        == ["quantize", "fine_tune", "evaluate"])
    // A section that no stage uses.
    #expect(try changed("search.trials=9").isEmpty)
  }

  @Test func whatASearchIsToldIsInItsKey() throws {
    let text = try workspace.read("pipelines/small.yaml")
    try workspace.write(text + "  search: {needs: pretrain}\n", to: "pipelines/small.yaml")
    let others = [
      "tuner: hyperband", "tuner: hyperband, factor: 2", "transfer_weights: false",
      "stopping: {after_trials: 4}, epochs: 2", "stopping: {after_trials: 5}, epochs: 2",
      "frozen: [dense]", "goal: {kind: energy}", "goal: {kind: energy, energy: {float32_add: 1}}",
    ]
    let same = [
      "transfer_weights: true", "goal: {kind: bits, delta_p: 5}", "batch: 4", "threads: 1",
    ]
    func key(_ fields: String) throws -> String? {
      try keys("search={trials: 2, \(fields)\(fields.contains("epochs") ? "" : ", epochs: 1")}")[
        "search"]
    }
    let plain = try key("tuner: random")
    for fields in same { #expect(try key(fields) == plain, "\(fields)") }
    #expect(try Set(others.map(key)).union([plain]).count == others.count + 1)
    // QKeras's table written out is the default.
    #expect(
      try key("goal: {kind: energy, energy: {float32_add: 0.9, dram_access: [20.3125, 0]}}")
        == key("goal: {kind: energy}"))
  }

  @Test func planSaysWhereAFieldChanged() throws {
    let resolved = try ResolvedPipeline(
      PipelineRequest(
        path: workspace.path("pipelines/small.yaml"), overrides: ["fine_tune.epochs=7"]))
    let index = try #require(resolved.graph.index(of: "fine_tune"))
    let location = resolved.graph.stages[index].location(of: "training.epochs")
    #expect(location?.file == "--set fine_tune.epochs=7")
    #expect(FieldPath.shown("training.epochs", kind: "fine_tune") == "fine_tune.epochs")
    let written = resolved.graph.stages[index].location(of: "training.batch_size")
    #expect(written?.file == workspace.path("experiments/small.yaml"))
    #expect(written?.line == 5)
  }
}
