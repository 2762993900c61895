//! Networks that an experiment spells out: the known ones among them, names, slots, keys.

import Diagnostics
import Experiments
import Files
import Foundation
import Networks
import Pipeline
import TestSupport
import Testing

@Suite struct OwnNetworkTests {
  let workspace: Workspace

  init() throws {
    workspace = try Workspace()
    for file in ["experiments/small.yaml", "pipelines/small.yaml"] {
      try workspace.copy(TestPaths.fixtures + "/small/" + file, to: file)
    }
  }

  /// The network of an experiment that holds nothing else.
  private func network(_ text: String) throws -> NetworkFields {
    try workspace.write("experiment: own\nnetwork:\n" + text, to: "own.yaml")
    return try NetworkStatistics(StatisticsRequest(target: workspace.path("own.yaml"))).architecture
  }

  private func layers(_ text: String) throws -> [Layer] {
    try #require(network(text).network).layers
  }

  /// Every architecture of the program can be written down, and is then that one also in keys.
  @Test(arguments: Network.kinds)
  func theKnownNetworksCanBeSpelledOut(kind: String) throws {
    let path = "\(TestPaths.fixtures)/networks/\(kind).yaml"
    let written = try NetworkStatistics(StatisticsRequest(target: path)).architecture
    let known = try #require(Network.named(kind))
    if case .own(let network) = written {
      for (one, other) in zip(network.layers, known.layers) where one != other {
        Issue.record("\(one) is \(other)")
        break
      }
    }
    #expect(written == .kind(kind))
  }

  /// What the checked builder says of shapes is what the architectures have, and JSON keeps all.
  @Test(arguments: Network.kinds)
  func shapesAndJSONAreTheArchitectures(kind: String) throws {
    let known = try #require(Network.named(kind))
    for layer in known.layers where !layer.inputs.isEmpty {
      let shape = try layer.operation.outputShape(
        of: layer.inputs.map { known[$0].shape }, keepsExtents: layer.shape.count == 3)
      #expect(shape == layer.shape)
    }
    var read = try JSONValue(encoding: known).decode(as: Network.self)
    read.name = known.name
    #expect(read == known)
  }

  @Test func slotsFollowWhatMakesValues() throws {
    let automatic = try layers(
      """
        input: [8, 8, 3]
        layers:
          - conv2d: {filters: 4, as: a}
          - relu
          - conv2d: {filters: 4, activation: swish}
          - add: {inputs: [a, input], name: sum}
          - average_pooling2d: {pool_size: [2, 4]}
          - quantize: {name: pooled}
          - dropout: {rate: 0.5}
          - flatten
          - dense: {units: 2}
      """.replacing("[a, input]", with: "[a, b]").replacing("swish}", with: "swish, as: b}"))
    #expect(
      automatic.map(\.name) == [
        "input", "activation", "conv2d", "re_lu", "activation_1", "conv2d_1", "activation_2",
        "swish",
        "activation_3", "activation_4", "sum", "activation_5", "average_pooling2d", "pooled",
        "dropout", "flatten", "dense", "activation_6",
      ])
    // The sum reads the convolution behind a slot of its own, as the ReLU took the first one's place.
    #expect(
      automatic[9].inputs == [LayerID(2)] && automatic[10].inputs == [LayerID(9), LayerID(8)])
    let explicit = try layers(
      """
        input: [6]
        slots: explicit
        layers: [quantize, dense: {units: 4, activation: relu}, dense: {units: 2, batch_norm: true}]
      """)
    #expect(
      explicit.map(\.name) == ["input", "activation", "dense", "re_lu", "dense_1"])
  }

  @Test func namesInRepeatsAreNumbered() throws {
    let layers = try layers(
      """
        input: [8, 8, 2]
        layers:
          - repeat: 2
            layers:
              - {repeat: 2, layers: [conv2d: {name: c, batch_norm: bn, filters: 2, as: x}]}
              - add: {inputs: [x, c]}
      """)
    let names = layers.map(\.name).filter { !$0.hasPrefix("activation") }
    #expect(names == ["input", "c", "c_1", "add", "c_2", "c_3", "add_1"])
    guard case .weighted(let last) = layers[layers.count - 4].operation else {
      Issue.record("\(layers)")
      return
    }
    #expect(last.batchNormalization == "bn_3")
  }

  private func keys(_ network: String) throws -> [String: String] {
    let text = try workspace.read("experiments/small.yaml")
    let lines = text.split(separator: "\n").filter { !$0.hasPrefix("network") }
    try workspace.write(
      lines.joined(separator: "\n") + "\nnetwork:\n\(network)", to: "experiments/small.yaml")
    let resolved = try ResolvedPipeline(
      PipelineRequest(path: workspace.path("pipelines/small.yaml")))
    #expect(resolved.warnings.isEmpty)
    let plan = try Plan(graph: resolved.graph, store: Store(root: workspace.path("store")))
    try workspace.write(text, to: "experiments/small.yaml")
    return Dictionary(uniqueKeysWithValues: plan.entries.map { ($0.stage.name, $0.planKey.hex) })
  }

  private static let small = """
      input: [32, 32, 3]
      layers:
        - conv2d: {filters: 4, strides: 2, activation: relu}
        - global_average_pooling2d
        - dense: {units: 10}
        - softmax

    """

  @Test func everyLayerCountsAndNoSpellingDoes() throws {
    let before = try keys(Self.small)
    #expect(
      try keys(
        Self.small.replacing("strides: 2", with: "strides: [2, 2], kernel_size: 3, as: c"))
        == before)
    #expect(
      try keys(
        Self.small.replacing("- global_average_pooling2d", with: "- global_average_pooling2d: {}"))
        == before)
    for (old, new) in [
      ("filters: 4", "filters: 5"), ("strides: 2", "padding: valid"),
      ("units: 10", "units: 10, l2: 0.1"),
      ("activation: relu", "activation: relu6"),
      ("  input:", "  non_negative_input: true\n  input:"),
    ] {
      let after = try keys(Self.small.replacing(old, with: new))
      #expect(after.allSatisfy { before[$0.key] != $0.value }, "\(old)")
    }
    let fixture = try String(
      contentsOfFile: TestPaths.fixtures + "/networks/resnet.yaml", encoding: .utf8)
    let spelled = fixture.split(separator: "\n").dropFirst(2).joined(separator: "\n") + "\n"
    #expect(try keys(spelled) == keys("  kind: resnet\n"))
  }

  @Test func aChangedLayerIsToldByItsPlace() throws {
    let text = try workspace.read("experiments/small.yaml")
    try workspace.write(
      text.replacing("network: {kind: resnet}", with: "network:\n" + Self.small),
      to: "experiments/small.yaml")
    let resolved = try ResolvedPipeline(
      PipelineRequest(path: workspace.path("pipelines/small.yaml")))
    let stage = try #require(resolved.graph.stages.first)
    // input, activation, conv2d: the second layer written is the pool.
    #expect(stage.location(of: "network.layers[2].filters")?.line == 6)
    #expect(stage.location(of: "network.layers[5].inputs[0]")?.line == 7)
  }

  /// Outputs are compared with the classes where a stage's loss does: an autoencoder has none.
  @Test func eachStagesOwnLossSaysWhatFits() throws {
    try workspace.write(
      """
      experiment: own
      dataset: {kind: cifar10, source: synthetic}
      network:
        input: [32, 32, 3]
        layers: [flatten, dense: {units: 8, activation: relu}, dense: {units: 3072}]
      pretrain: {epochs: 1, loss: mse, metrics: []}

      """, to: "experiments/own.yaml")
    func stages(_ more: String) throws -> Int {
      try workspace.write(
        "pipeline: own\nexperiment: own\nstages:\n  pretrain: {}\n" + more, to: "pipelines/own.yaml"
      )
      let request = PipelineRequest(path: workspace.path("pipelines/own.yaml"))
      return try ResolvedPipeline(request).graph.stages.count
    }
    #expect(try stages("") == 1)
    #expect {
      _ = try stages("  evaluate: {needs: pretrain}\n")
    } throws: { error in
      let faults = (error as? InvalidSpec)?.diagnostics ?? []
      return faults.map(\.message) == ["the network gives 3072 values, and cifar10 has 10 classes"]
        && faults.first?.location?.line == 5
    }
  }

  /// Texts with characters lost, doubled and swapped: faults or a network, never a crash.
  @Test(arguments: ["resnet", "mobilenet_v2", "ds_cnn"])
  func mutatedTextsAreReadOrRefused(kind: String) throws {
    let text = try String(
      contentsOfFile: "\(TestPaths.fixtures)/networks/\(kind).yaml", encoding: .utf8)
    var state: UInt64 = 11
    func below(_ count: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(count))
    }
    var refused = 0
    for _ in 0..<300 {
      var characters = Array(text)
      for _ in 0...below(3) {
        let place = below(characters.count)
        switch below(4) {
        case 0: characters.remove(at: place)
        case 1: characters.insert(characters[place], at: place)
        case 2: characters.swapAt(place, below(characters.count))
        default: characters[place] = Array("0123456789-:{}[],x")[below(18)]
        }
      }
      try workspace.write(String(characters), to: "mutated.yaml")
      do {
        _ = try NetworkStatistics(StatisticsRequest(target: workspace.path("mutated.yaml")))
      } catch {
        let isLocated = error.diagnostics.contains { $0.location != nil }
        #expect(isLocated && error.diagnostics.allSatisfy { !$0.message.isEmpty })
        refused += 1
      }
    }
    #expect(refused > 100)
  }
}
