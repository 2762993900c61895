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

  /// A depthwise layer of 16 channels whose kernel is 0 but for its middle.
  private func run(kernel: Int) throws -> Outcome {
    let (extent, channels, batch) = (16, 16, 4)
    let weighted = WeightedLayer(
      kind: .depthwiseConv2D, filters: channels, kernelHeight: kernel, kernelWidth: kernel,
      batchNormalization: "norm")
    let shape = [extent, extent, channels]
    let network = Network(
      name: "one",
      layers: [
        Layer(name: "input", operation: .input, inputs: [], shape: shape),
        Layer(
          name: "layer", operation: .weighted(weighted), inputs: [LayerID(0)], shape: shape),
      ], inputIsNonNegative: false)
    let quantizers = QuantizerMap(
      kernels: ["layer": try QuantizerSpec(parsing: "quantized_bits(8,8,1,1,alpha='auto')")],
      biases: [:])
    let weights = WeightStore(network: network)
    var tensors = weights.tensors
    let middle = (kernel * kernel / 2) * channels
    var values = [Float](repeating: 0, count: kernel * kernel * channels)
    for (channel, value) in hashed(channels, stream: 1).enumerated() {
      values[middle + channel] = value
    }
    let name = "layer/depthwise_kernel"
    tensors[name] = Tensor(shape: [kernel, kernel, channels, 1], values: values)
    weights.tensors = tensors
    let program = try Program(
      network, quantizers: quantizers,
      options: .init(batch: batch, mode: .training, withInputGradient: true), weights: weights,
      on: OneDNN())
    let count = batch * extent * extent * channels
    program.input.update(from: hashed(count, stream: 2), count: count)
    program.forward()
    let output = Array(UnsafeBufferPointer(start: program.output, count: count))
    try #require(program.lossGradient).update(from: hashed(count, stream: 3), count: count)
    program.backward()
    let gradient = try #require(program.inputGradient)
    return Outcome(
      output: output, inputGradient: Array(UnsafeBufferPointer(start: gradient, count: count)),
      taps: Array(weights.gradientTensor(name).values[middle..<middle + channels]),
      gamma: weights.gradientTensor("norm/gamma").values)
  }

  @Test func aDepthwiseKernelOfOneIsTheMiddleOfThree() throws {
    let (one, three) = (try run(kernel: 1), try run(kernel: 3))
    #expect(one.output == three.output)
    for (a, b) in [
      (one.inputGradient, three.inputGradient), (one.taps, three.taps), (one.gamma, three.gamma),
    ] {
      #expect(relativeDistance(a.map(Double.init), b.map(Double.init)) < 1e-5)
    }
  }
}
