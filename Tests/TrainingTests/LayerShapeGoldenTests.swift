//! Every distinct weighted layer of the six networks alone, against QKeras: outputs, gradients and
//! moving statistics of layer_shapes.h5.

import Foundation
import Networks
import Records
import Tensors
import TestSupport
import Testing
import Training

@Suite struct LayerShapeGoldenTests {
  static let path = TestPaths.golden + "/layer_shapes.h5"
  static let isThere = FileManager.default.fileExists(atPath: path)

  /// Of the norm of what is compared.
  static let tolerance = 1e-4

  @Test(.enabled(if: isThere, "no layer_shapes.h5 in the golden folder"))
  func theFileHasTheShapesOfTheSixNetworks() throws {
    let groups = try HDF5File(reading: Self.path).members().map(\.name)
    #expect(groups.count == 107)
    #expect(Set(groups) == Set(LayerShape.all.map(\.name)))
  }

  @Test(
    .enabled(if: isThere, "no layer_shapes.h5 in the golden folder"), arguments: LayerShape.all)
  func agreesWithQKeras(shape: LayerShape) throws {
    let golden = try GoldenLayer(shape, file: HDF5File(reading: Self.path))
    let weights = golden.weights()
    let oneDNN = try OneDNN()
    let inference = try Program(
      golden.network, quantizers: golden.quantizers,
      options: .init(batch: golden.batch, mode: .inference), weights: weights, on: oneDNN)
    inference.prepare()
    golden.loadInput(of: inference)
    inference.forward()
    try expectClose(inference.output, golden, "inference_y")

    let program = try Program(
      golden.network, quantizers: golden.quantizers,
      options: .init(batch: golden.batch, mode: .training, withInputGradient: true),
      weights: weights, on: oneDNN)
    golden.loadInput(of: program)
    program.forward()
    try expectClose(program.output, golden, "training_y")
    golden.loadUpstream(into: try #require(program.lossGradient))
    program.backward()
    try expectClose(try #require(program.inputGradient), golden, "grad_x")
    try expectClose(weights.gradient(golden.kernelName), golden, "grad_kernel")
    if shape.isFolded {
      try expectClose(weights.gradient("norm/gamma"), golden, "grad_gamma")
      try expectClose(weights.gradient("norm/beta"), golden, "grad_beta")
      try expectClose(weights.pointer("norm/moving_mean"), golden, "moving_mean")
      try expectClose(weights.pointer("norm/moving_variance"), golden, "moving_variance")
      // The batch's mean takes it out again.
      #expect(weights.gradientTensor("layer/bias").values.allSatisfy { $0 == 0 })
    } else {
      try expectClose(weights.gradient("layer/bias"), golden, "grad_bias")
    }
  }

  /// A small tensor stands in the file, of a large one a sketch, whose estimate of the distance is
  /// held to a bound so much smaller that it vouches for the real one with three standard errors.
  private func expectClose(
    _ actual: UnsafePointer<Float>, _ golden: GoldenLayer, _ key: String,
    location: Testing.SourceLocation = #_sourceLocation
  ) throws {
    let stored = try golden.file.doubles("\(golden.shape.name)/\(key)")
    let count = try golden.count(of: key)
    let values = UnsafeBufferPointer(start: actual, count: count)
    var distance: Double
    if count == stored.count {
      distance = relativeDistance(values.map(Double.init), stored)
    } else {
      let expected = try #require(Sketch(stored: stored), "\(key) is no sketch")
      let sketch = Sketch(values, seed: golden.seed)
      #expect(
        abs(sketch.norm - expected.norm) <= Self.tolerance * expected.norm,
        "\(golden.shape.name) \(key): norm", sourceLocation: location)
      distance = sketch.distance(to: expected) / expected.norm * (1 + 3 * Sketch.relativeError)
    }
    #expect(
      distance <= Self.tolerance, "\(golden.shape.name) \(key): \(distance)",
      sourceLocation: location)
  }
}

/// What makes a layer distinct.
struct LayerShape: Hashable, Sendable, CustomTestStringConvertible {
  var layer: WeightedLayer
  var input: [Int]

  var isFolded: Bool { layer.batchNormalization != nil }

  /// As the golden script calls it: "conv2d_32x32x3_16_3x3_s1_folded", "dense_640_128_folded".
  var name: String {
    let end = isFolded ? "folded" : "plain"
    guard layer.kind != .dense else { return "dense_\(input[0])_\(layer.filters)_\(end)" }
    let kind = layer.kind == .conv2D ? "conv2d" : "depthwise_conv2d"
    let extents = input.map(String.init).joined(separator: "x")
    return "\(kind)_\(extents)_\(layer.filters)_\(layer.kernelHeight)x\(layer.kernelWidth)"
      + "_s\(layer.strideHeight)_\(end)"
  }

  var testDescription: String { name }

  /// Of the six networks, in their order.
  static let all: [LayerShape] = {
    var seen: Set<String> = []
    var shapes: [LayerShape] = []
    for network in Network.kinds.compactMap(Network.named) {
      for layer in network.layers {
        guard case .weighted(var weighted) = layer.operation else { continue }
        if weighted.batchNormalization != nil { weighted.batchNormalization = "norm" }
        let shape = LayerShape(layer: weighted, input: network[layer.inputs[0]].shape)
        if seen.insert(shape.name).inserted { shapes.append(shape) }
      }
    }
    return shapes
  }()
}

/// A one-layer network, set up as the golden script sets its layer up.
private struct GoldenLayer {
  let shape: LayerShape
  let file: HDF5File
  let seed: UInt32
  let batch: Int
  let base: UInt32
  let kernelStream: UInt32
  let network: Network
  let quantizers: QuantizerMap

  init(_ shape: LayerShape, file: HDF5File) throws {
    self.shape = shape
    self.file = file
    func number(_ name: String, of group: String) throws -> UInt32 {
      UInt32(try #require(try file.number(name, of: group), "\(group) has no \(name)"))
    }
    seed = try number("seed", of: "/")
    batch = Int(try number("batch", of: shape.name))
    base = try number("base", of: shape.name)
    kernelStream = try number("kernel_stream", of: shape.name)
    network = Network(
      name: shape.name,
      layers: [
        Layer(name: "input", operation: .input, inputs: [], shape: shape.input),
        Layer(
          name: "layer", operation: .weighted(shape.layer), inputs: [LayerID(0)],
          shape: shape.layer.outputShape(from: shape.input)),
      ], inputIsNonNegative: false)
    quantizers = QuantizerMap(
      kernels: ["layer": try QuantizerSpec(parsing: "quantized_bits(8,8,1,1,alpha='auto')")],
      biases: ["layer": try QuantizerSpec(parsing: "quantized_bits(16,16,1,1,alpha='auto')")])
  }

  var kernelName: String {
    shape.layer.kind == .depthwiseConv2D ? "layer/depthwise_kernel" : "layer/kernel"
  }

  func weights() -> WeightStore {
    let store = WeightStore(network: network)
    var tensors = store.tensors
    for spec in network.weights {
      func values(_ stream: UInt32, _ scale: Double, plus offset: Float = 0) -> Tensor {
        let count = spec.shape.reduce(1, *)
        return Tensor(
          shape: spec.shape,
          values: hashed(count, stream: stream, scale: scale, seed: seed).map { $0 + offset })
      }
      switch spec.role {
      case .kernel:
        let isDepthwise = shape.layer.kind == .depthwiseConv2D
        let fan = (isDepthwise ? spec.shape.prefix(2) : spec.shape.dropLast()).reduce(1, *)
        tensors[spec.name] = values(kernelStream, (3.0 / Double(fan)).squareRoot() * 1.4)
      case .bias: tensors[spec.name] = values(base + 1, 0.05)
      case .gamma: tensors[spec.name] = values(base + 2, 0.2, plus: 1)
      case .beta: tensors[spec.name] = values(base + 3, 0.1)
      case .movingMean: tensors[spec.name] = values(base + 4, 0.2)
      case .movingVariance: tensors[spec.name] = values(base + 5, 0.3, plus: 1)
      }
    }
    store.tensors = tensors
    return store
  }

  func loadInput(of program: Program) {
    let values = hashed(batch * network.layers[0].elements, stream: base, seed: seed)
    program.input.update(from: values, count: values.count)
  }

  func loadUpstream(into gradient: UnsafeMutablePointer<Float>) {
    let values = hashed(batch * network.layers[1].elements, stream: base + 6, seed: seed)
    gradient.update(from: values, count: values.count)
  }

  /// The number of elements of the tensor behind a key.
  func count(of key: String) throws -> Int {
    switch key {
    case "inference_y", "training_y": batch * network.layers[1].elements
    case "grad_x": batch * network.layers[0].elements
    case "grad_kernel":
      try #require(network.weights.first).shape.reduce(1, *)
    default: shape.layer.filters
    }
  }
}
