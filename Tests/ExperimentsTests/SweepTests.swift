//! Sweeps: which points there are, what they are called, and that each is what it would be alone.

import Diagnostics
import Experiments
import Files
import Pipeline
import TestSupport
import Testing

@Suite struct SweepTests {
  let workspace: Workspace

  init() throws {
    workspace = try Workspace()
    for file in ["experiments/small.yaml", "pipelines/small.yaml"] {
      try workspace.copy(TestPaths.fixtures + "/small/" + file, to: file)
    }
  }

  private func resolve(_ overrides: [String]) throws -> ResolvedPipeline {
    try ResolvedPipeline(
      PipelineRequest(path: workspace.path("pipelines/small.yaml"), overrides: overrides))
  }

  /// The points of a sweep in the order in which their stages come.
  private func points(_ sweep: String) throws -> [String] {
    let stages = try resolve(["sweep=\(sweep)"]).graph.stages
    var points: [String] = []
    for stage in stages {
      let point = String(stage.name.prefix { $0 != "/" })
      if points.last != point { points.append(point) }
    }
    return points
  }

  @Test func productsVaryTheirLastAxisFastest() throws {
    #expect(
      try points("{product: {seed: [1, 2], fine_tune.epochs: [3, 4]}}") == [
        "seed=1,fine_tune.epochs=3", "seed=1,fine_tune.epochs=4", "seed=2,fine_tune.epochs=3",
        "seed=2,fine_tune.epochs=4",
      ])
  }

  @Test func blocksCombineAndUnite() throws {
    #expect(
      try points(
        "[{zip: {seed: [1, 2], fine_tune.epochs: [3, 4]}, product: {evaluate.batch_size: [7, 8]}},"
          + " {list: [{seed: 9}, {seed: 1, fine_tune.epochs: 3, evaluate.batch_size: 8}]}]") == [
          "evaluate.batch_size=7,seed=1,fine_tune.epochs=3",
          "evaluate.batch_size=7,seed=2,fine_tune.epochs=4",
          "evaluate.batch_size=8,seed=1,fine_tune.epochs=3",
          "evaluate.batch_size=8,seed=2,fine_tune.epochs=4", "seed=9",
        ])
    #expect(
      try points(
        "{zip: [{seed: [1, 2]}, {fine_tune.epochs: [3, 4], evaluate.batch_size: [5, 6]}]}"
      ).count == 4)
  }

  @Test func pointsAreExcludedAndOverridden() throws {
    let sweep =
      "{product: {seed: [1, 2, 3], fine_tune.learning_rate: [1e-2, 0.001]}, "
      + "exclude: [{seed: 2, fine_tune.learning_rate: 0.01}, {seed: [3, 4]}], "
      + "override: [{when: {seed: 1}, set: {fine_tune.epochs: 2}}, {set: {seed: 5}, when: "
      + "{fine_tune.learning_rate: 1e-3, seed: 2}}]}"
    let resolved = try resolve(["sweep=\(sweep)"])
    let tuned = resolved.graph.stages.filter { $0.kind == "fine_tune" }
    #expect(
      tuned.map(\.name) == [
        "seed=1,fine_tune.learning_rate=0.01/fine_tune",
        "seed=1,fine_tune.learning_rate=0.001/fine_tune",
        "seed=5,fine_tune.learning_rate=0.001/fine_tune",
      ])
    let fields = try tuned.map { try $0.fields.decode(as: FineTuneFields.self) }
    #expect(fields.map(\.training.epochs) == [2, 2, 5])
    #expect(fields.map(\.seed) == [1, 1, 5])
    #expect(
      tuned[0].unkeyed["point"]?["values"]
        == .object([
          "seed": .int(1), "fine_tune.learning_rate": .double(0.01), "fine_tune.epochs": .int(2),
        ]))
  }

  @Test(arguments: [
    ("{range: {from: 1, to: 7, step: 2}}", "1 3 5 7"),
    ("{range: {from: 5, to: 4, step: -1}}", "5 4"),
    ("{range: {from: 1, to: 9, count: 3}}", "1 5 9"),
    ("{log: {from: 1, to: 100, count: 3}}", "1 10 100"),
    ("{log: {from: 64, to: 1, count: 4}}", "64 16 4 1"),
  ])
  func rangesOfWholeNumbers(_ range: String, _ values: String) throws {
    let points = try points("{product: {fine_tune.epochs: \(range)}}")
    #expect(points == values.split(separator: " ").map { "fine_tune.epochs=\($0)" })
  }

  @Test(arguments: [
    ("{range: {from: 0, to: 0.3, step: 0.1}}", "0 0.1 0.2 0.3"),
    ("{range: {from: 0.1, to: 0.5, count: 3}}", "0.1 0.3 0.5"),
    (
      "{log: {from: 1e-4, to: 1e-2, count: 5}}",
      "0.0001 0.000316227766017 0.001 0.00316227766017 0.01"
    ),
    ("{log: {from: 1e-5, to: 1e-7, count: 3}}", "1e-05 1e-06 1e-07"),
  ])
  func rangesOfFractions(_ range: String, _ values: String) throws {
    let points = try points("{product: {training.l2: \(range)}}")
    #expect(points == values.split(separator: " ").map { "training.l2=\($0)" })
  }

  /// What is kept between points must change nothing.
  @Test func everyPointIsWhatItWouldBeAlone() throws {
    try workspace.write(
      workspace.read("pipelines/small.yaml").replacing(
        "pipeline: small", with: "pipeline: small\nvariables: {epochs: 3, rate: 0.5}"),
      to: "pipelines/small.yaml")
    let base = [
      "pretrain.epochs=${variables.epochs}", "fine_tune.epochs=${pretrain.epochs}",
      "training.learning_rate=${rate}",
      "dataset.subset={training: 200, test: \"${evaluate.batch_size}\"}",
    ]
    let axes = [
      "seed": ["1", "2"], "variables.epochs": ["3", "7"], "evaluate.batch_size": ["50", "60"],
      "fine_tune.learning_rate": ["0.1", "{kind: cosine, initial: 0.1, decay_epochs: 10}"],
      "network.kind": ["resnet"],
      "quantizers.bias": ["float", "\"quantized_bits(8,8,1,1,alpha='auto')\""],
      "variables.rate": ["0.25", "0.5"],
    ].sorted { $0.key < $1.key }
    let product = axes.map { "\"\($0.key)\": [\($0.value.joined(separator: ", "))]" }
    let swept = try resolve(base + ["sweep={product: {\(product.joined(separator: ", "))}}"])
    #expect(swept.graph.stages.count == 64 * 4)
    let combinations = axes.reduce([[String]]([[]])) { sets, axis in
      sets.flatMap { set in axis.value.map { set + ["\(axis.key)=\($0)"] } }
    }
    for (index, overrides) in combinations.enumerated() {
      let alone = try resolve(base + overrides).graph.stages
      let part = swept.graph.stages[(index * alone.count)..<((index + 1) * alone.count)]
      for (one, other) in zip(part, alone) {
        #expect(one.name.hasSuffix("/\(other.name)"))
        #expect(one.fields == other.fields && one.kind == other.kind)
        #expect(one.inputs.map(\.role) == other.inputs.map(\.role))
      }
    }
  }

  @Test func equalPointsAreOne() throws {
    let resolved = try resolve([
      "sweep={product: {training.l2: [0.5, 0.25], search.trials: [1, 2]}}"
    ])
    #expect(resolved.graph.stages.count == 8)
    #expect(
      DiagnosticRenderer(color: false).render(resolved.warnings) == """
        warning: the point training.l2=0.5,search.trials=2 comes out as training.l2=0.5,search.trials=1 \
        and is left out, and 1 more like it
         --> --set sweep={product: {training.l2: [0.5, 0.25], search.trials: [1, 2]}}
          |
        1 | sweep={product: {training.l2: [0.5, 0.25], search.trials: [1, 2]}}
          |       ^

        """)
  }

  @Test func namesAreFolders() throws {
    let points = try points(
      "{product: {fine_tune.learning_rate: [{kind: constant, initial: 0.5}, 0.25], "
        + "quantizers.bias: [\"quantized_bits(8,8,1,1,alpha='auto')\", float]}}")
    #expect(points.count == 4)
    for point in points {
      #expect(point.utf8.count <= 100 && point.first != ".")
      #expect(point.allSatisfy { $0.isLetter || $0.isNumber || "_.+-=,".contains($0) })
    }
    let long = (1...30).map {
      "{seed: \($0), training.batch_size: \($0), dataset.synthetic.training_images: 2\($0), "
        + "dataset.synthetic.test_images: 2\($0), dataset.synthetic.seed: \($0)}"
    }
    let names = try self.points("{list: [\(long.joined(separator: ", "))]}")
    #expect(Set(names).count == 30 && names.allSatisfy { $0.utf8.count <= 100 })
  }

  @Test func axesAreSetOnTheCommandLine() throws {
    try workspace.write(
      workspace.read("pipelines/small.yaml")
        + "sweep: {product: {seed: [1, 2], fine_tune.epochs: [3]}}\n",
      to: "pipelines/small.yaml")
    #expect(try resolve([]).graph.stages.count == 8)
    #expect(try resolve(["sweep.product.fine_tune.epochs=[3, 4]"]).graph.stages.count == 16)
    #expect(try resolve(["sweep=null"]).graph.stages.map(\.name).contains("fine_tune"))
    let faults = #expect(throws: InvalidSpec.self) { _ = try resolve(["seed=5"]) }
    #expect(faults?.diagnostics.first?.suggestion == "write `--set 'sweep.product.seed=[...]'`")
  }

  @Test func aPointsNeedsStayInThePoint() throws {
    let resolved = try resolve(["sweep={product: {seed: [1, 2]}}"])
    for stage in resolved.graph.stages {
      for case (_, .stage(let name, _)) in stage.inputs {
        #expect(name.prefix { $0 != "/" } == stage.name.prefix { $0 != "/" })
      }
      #expect(stage.unkeyed["point"]?["name"] == .string(String(stage.name.prefix { $0 != "/" })))
    }
  }
}
