//! Folded layers against QKeras: every case of layers.h5, outputs, gradients, moving statistics.

import Networks
import Records
import Tensors
import TestSupport
import Testing
import Training

@Suite struct LayerGoldenTests {
  static let path = TestPaths.golden + "/layers.h5"
  static let cases: [String] = {
    let members = try? HDF5File(reading: path).members()
    return members?.map(\.name) ?? []
  }()

  /// The tolerance of the comparison, of the norm of what is compared.
  static let tolerance = 1e-4

  @Test func thereAreCases() { #expect(Self.cases.count == 18) }

  @Test(arguments: cases) func agreesWithQKeras(name: String) throws {
    let file = try HDF5File(reading: Self.path)
    func golden(_ key: String) throws -> Tensor { try file.tensor("\(name)/\(key)") }
    let x = try golden("x")
    let kernelName = name.hasPrefix("depthwise") ? "depthwise_kernel" : "kernel"
    let (network, quantizers) = try Self.network(
      name, input: Array(x.shape.dropFirst()), kernel: golden("weight_\(kernelName)").shape)
    let weights = WeightStore(network: network)
    let names = ["layer/\(kernelName)", "layer/bias", "norm/gamma", "norm/beta"]
    var tensors = weights.tensors
    for name in names {
      tensors[name] = try golden("weight_" + (name.split(separator: "/").last ?? ""))
    }
    tensors["norm/moving_mean"] = try golden("moving_mean")
    tensors["norm/moving_variance"] = try golden("moving_variance")
    weights.tensors = tensors

    let oneDNN = try OneDNN()
    let inference = try Program(
      network, quantizers: quantizers, options: .init(batch: x.shape[0], mode: .inference),
      weights: weights, on: oneDNN)
    inference.prepare()
    inference.input.update(from: x.values, count: x.values.count)
    inference.forward()
    expectClose(inference.output, try golden("inference_y"), "inference_y")

    let program = try Program(
      network, quantizers: quantizers,
      options: .init(batch: x.shape[0], mode: .training, withInputGradient: true),
      weights: weights, on: oneDNN)
    program.input.update(from: x.values, count: x.values.count)
    program.forward()
    expectClose(program.output, try golden("training_y"), "training_y")
    let upstream = try golden("upstream")
    try #require(program.lossGradient).update(
      from: upstream.values, count: upstream.values.count)
    program.backward()
    expectClose(try #require(program.inputGradient), try golden("grad_x"), "grad_x")
    for name in names where name != "layer/bias" {
      let key = "grad_" + (name.split(separator: "/").last ?? "")
      expectClose(weights.gradient(name), try golden(key), key)
    }
    // Exactly zero in exact arithmetic; QKeras's is the rounding of a sum like beta's.
    let biasGradient = weights.gradientTensor("layer/bias").values.map(Double.init)
    let reference = try golden("grad_bias").values.map(Double.init)
    let difference = norm(zip(biasGradient, reference).map { $0 - $1 })
    #expect(difference <= Self.tolerance * norm(try golden("grad_beta").values.map(Double.init)))
    expectClose(
      weights.pointer("norm/moving_mean"), try golden("moving_mean_after"), "moving_mean")
    expectClose(
      weights.pointer("norm/moving_variance"), try golden("moving_variance_after"),
      "moving_variance")
  }

  private func expectClose(
    _ actual: UnsafePointer<Float>, _ expected: Tensor, _ what: String,
    location: SourceLocation = #_sourceLocation
  ) {
    let values = Array(UnsafeBufferPointer(start: actual, count: expected.values.count))
    let distance = relativeDistance(values, expected.values)
    #expect(distance <= Self.tolerance, "\(what): \(distance)", sourceLocation: location)
  }

  /// The one-layer network of a case: "conv_auto_po2_valid_s2", "dense_auto".
  private static func network(
    _ name: String, input: [Int], kernel: [Int]
  ) throws -> (Network, QuantizerMap) {
    let stride = name.hasSuffix("s2") ? 2 : 1
    let padding: Padding = name.contains("valid") ? .valid : .same
    let kind: WeightedLayer.Kind =
      name.hasPrefix("conv") ? .conv2D : name.hasPrefix("dense") ? .dense : .depthwiseConv2D
    let filters = kind == .depthwiseConv2D ? kernel[2] : kernel[kernel.count - 1]
    let isDense = kind == .dense
    let layer = WeightedLayer(
      kind: kind, filters: filters, kernelHeight: isDense ? 1 : kernel[0],
      kernelWidth: isDense ? 1 : kernel[1], strideHeight: stride, strideWidth: stride,
      padding: padding, batchNormalization: "norm")
    let output =
      isDense
      ? [filters]
      : [
        padding.extents(input: input[0], kernel: kernel[0], stride: stride).output,
        padding.extents(input: input[1], kernel: kernel[1], stride: stride).output, filters,
      ]
    let network = Network(
      name: name,
      layers: [
        Layer(name: "input", operation: .input, inputs: [], shape: input),
        Layer(name: "layer", operation: .weighted(layer), inputs: [LayerID(0)], shape: output),
      ], inputIsNonNegative: false)
    let alpha = name.contains("auto_po2") ? "auto_po2" : "auto"
    let bits = kind == .conv2D ? 4 : 8
    return (
      network,
      QuantizerMap(
        kernels: [
          "layer": try QuantizerSpec(
            parsing: "quantized_bits(\(bits),\(bits),1,1,alpha='\(alpha)')")
        ],
        biases: ["layer": try QuantizerSpec(parsing: "quantized_bits(16,16,1,1,alpha='\(alpha)')")])
    )
  }
}
