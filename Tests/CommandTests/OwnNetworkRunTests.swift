//! A network of one's own on its whole way through the real programs.

import Foundation
import TestSupport
import Testing

@Suite struct OwnNetworkRunTests {
  let workspace: Workspace

  init() throws {
    workspace = try Workspace()
    for file in ["experiments/own_network.yaml", "pipelines/own_network.yaml"] {
      try workspace.copy("\(TestPaths.root)/\(file)", to: file)
    }
  }

  private func run(_ overrides: String...) throws -> CommandOutcome {
    let small = [
      "dataset.synthetic={training_images: 80, test_images: 20, seed: 1}", "pretrain.epochs=1",
      "fine_tune.epochs=1", "numerics={threads: 1, isa: sse41}",
    ]
    return try workspace.run(
      "shiftwork",
      ["run", "pipelines/own_network.yaml"] + (small + overrides).flatMap { ["--set", $0] })
  }

  @Test func theShippedExampleRuns() throws {
    let first = try run()
    #expect(first.code == 0, "\(first.error)")
    #expect(
      workspace.files.contains("results/own_network/fine_tune/weights.h5"))
    let listing = try workspace.read("results/own_network/quantize/quantizers.txt")
    #expect(listing.contains("\ndepthwise_conv2d     f=None quantized_bits(4,4,1,alpha='auto')"))
    #expect(listing.contains("\ndepthwise_conv2d_1   f=None quantized_bits(8,8,1,alpha='auto')"))
    // A label is no part of a network; a layer's number is.
    let file = "experiments/own_network.yaml"
    let text = try workspace.read(file)
    try workspace.write(
      text.replacing("as: x}", with: "as: y}").replacing("from: x", with: "from: y").replacing(
        "[x,", with: "[y,"), to: file)
    let again = try run()
    #expect(again.code == 0 && !again.out.contains("done"), "\(again.out)\(again.error)")
    try workspace.write(text.replacing("units: 10}", with: "units: 10, l2: 0.1}"), to: file)
    let plan = try workspace.run(
      "shiftwork",
      [
        "plan", "pipelines/own_network.yaml", "--set",
        "dataset.synthetic={training_images: 80, test_images: 20, seed: 1}", "--set",
        "pretrain.epochs=1", "--set", "fine_tune.epochs=1", "--set",
        "numerics={threads: 1, isa: sse41}",
      ])
    #expect(
      plan.out.contains("].l2: 0 -> 0.1") && plan.out.contains("(experiments/own_network.yaml:"),
      "\(plan.out)\(plan.error)")
  }

  /// Squeeze and excite; depthwise and dense layers with and without batch normalization, valid padding, unequal strides.
  @Test func whatOurArchitecturesDoNotHaveRunsToo() throws {
    let file = "experiments/own_network.yaml"
    let text = try workspace.read(file)
    let head = text.prefix(upTo: try #require(text.range(of: "  layers:\n")).lowerBound)
    let tail = text.suffix(from: try #require(text.range(of: "training: {batch")).lowerBound)
    try workspace.write(
      head + """
          layers:
            - conv2d: {filters: 6, kernel_size: [5, 3], strides: [2, 1], padding: valid}
            - depthwise_conv2d: {batch_norm: false, kernel_size: 2, strides: 3}
            - depthwise_conv2d: {padding: valid, strides: 2, as: a}
            - add: {inputs: [a, a], as: b}
            - global_average_pooling2d: {keepdims: true}
            - conv2d: {filters: 2, kernel_size: 1, batch_norm: false, activation: swish}
            - conv2d: {filters: 6, kernel_size: 1, batch_norm: false, activation: sigmoid, as: gate}
            - multiply: {inputs: [gate, b]}
            - relu6
            - average_pooling2d: {pool_size: [2, 4]}
            - flatten
            - dropout: {rate: 0.5}
            - dense: {units: 12, batch_norm: true, activation: relu}
            - dense: {units: 10, batch_norm: true}
            - softmax

        """ + tail, to: file)
    let outcome = try run()
    #expect(outcome.code == 0, "\(outcome.error)")
    let stats = try workspace.run("shiftwork", ["stats", file])
    #expect(stats.out.contains("\ndense_1              u=10 ") && stats.error == "")
  }
}
