//! Layers that are one function in two spellings, which take different ways through the engine.

import Networks
import Tensors
import TestSupport
import Testing
import Training

@Suite struct EqualLayersTests {
  private struct Outcome {
    var output: [Float]
    var inputGradient: [Float]
    /// The gradient of the taps that the two spellings share, channel by channel.
    var taps: [Float]
    var gamma: [Float]
  }

  /// A layer whose square kernel is 0 but for its middle.
  private func run(
    _ kind: WeightedLayer.Kind, kernel: Int, extent: Int, channels: Int, filters: Int
  ) throws -> Outcome {
    let batch = 4
    let weighted = WeightedLayer(
      kind: kind, filters: filters, kernelHeight: kernel, kernelWidth: kernel,
      batchNormalization: "norm")
    let (shape, outputShape) = ([extent, extent, channels], [extent, extent, filters])
    let network = Network(
      name: "one",
      layers: [
        Layer(name: "input", operation: .input, inputs: [], shape: shape),
        Layer(
          name: "layer", operation: .weighted(weighted), inputs: [LayerID(0)],
          shape: outputShape),
      ], inputIsNonNegative: false)
    let quantizers = QuantizerMap(
      kernels: ["layer": try QuantizerSpec(parsing: "quantized_bits(8,8,1,1,alpha='auto')")],
      biases: [:])
    let weights = WeightStore(network: network)
    var tensors = weights.tensors
    let isDepthwise = kind == .depthwiseConv2D
    let taps = channels * (isDepthwise ? 1 : filters)
    let middle = (kernel * kernel / 2) * taps
    var values = [Float](repeating: 0, count: kernel * kernel * taps)
    for (index, value) in hashed(taps, stream: 1).enumerated() { values[middle + index] = value }
    let name = isDepthwise ? "layer/depthwise_kernel" : "layer/kernel"
    tensors[name] = Tensor(
      shape: [kernel, kernel, channels, isDepthwise ? 1 : filters], values: values)
    weights.tensors = tensors
    let program = try Program(
      network, quantizers: quantizers,
      options: .init(batch: batch, mode: .training, withInputGradient: true), weights: weights,
      on: OneDNN())
    let count = batch * extent * extent * channels
    let outputCount = batch * extent * extent * filters
    program.input.update(from: hashed(count, stream: 2), count: count)
    program.forward()
    let output = Array(UnsafeBufferPointer(start: program.output, count: outputCount))
    try #require(program.lossGradient)
      .update(from: hashed(outputCount, stream: 3), count: outputCount)
    program.backward()
    let gradient = try #require(program.inputGradient)
    return Outcome(
      output: output, inputGradient: Array(UnsafeBufferPointer(start: gradient, count: count)),
      taps: Array(weights.gradientTensor(name).values[middle..<middle + taps]),
      gamma: weights.gradientTensor("norm/gamma").values)
  }

  @Test func aDepthwiseKernelOfOneIsTheMiddleOfThree() throws {
    let (one, three) = (
      try run(.depthwiseConv2D, kernel: 1, extent: 16, channels: 16, filters: 16),
      try run(.depthwiseConv2D, kernel: 3, extent: 16, channels: 16, filters: 16)
    )
    #expect(one.output == three.output)
    expectEqualGradients(one, three)
  }

  @Test func aLargePointwiseKernelIsTheMiddleOfThree() throws {
    let (one, three) = (
      try run(.conv2D, kernel: 1, extent: 36, channels: 24, filters: 104),
      try run(.conv2D, kernel: 3, extent: 36, channels: 24, filters: 104)
    )
    #expect(relativeDistance(one.output.map(Double.init), three.output.map(Double.init)) < 1e-6)
    expectEqualGradients(one, three)
  }

  private func expectEqualGradients(_ one: Outcome, _ other: Outcome) {
    for (a, b) in [
      (one.inputGradient, other.inputGradient), (one.taps, other.taps), (one.gamma, other.gamma),
    ] {
      #expect(relativeDistance(a.map(Double.init), b.map(Double.init)) < 1e-5)
    }
  }
}
