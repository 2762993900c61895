//! What the operations of a weighted layer share: its geometry and its arrays.

package import Networks
import Quantization
package import Tensors

/// Constants of Keras's BatchNormalization as the thesis's networks use it.
enum BatchNormalization {
  /// 1 - momentum, rounded once, as Keras has it: the moving statistics' step.
  static let movingRate = Float(1 - 0.99)
  static let epsilon = 1e-3
}

/// A weighted layer bound to its arrays and its quantizers.
struct BoundLayer {
  let name: String
  /// "Conv2D", "DepthwiseConv2D", "Dense".
  let kind: String
  let geometry: ConvolutionGeometry
  let isDense: Bool
  let kernel: UnsafeMutablePointer<Float>
  let bias: UnsafeMutablePointer<Float>
  let kernelGradient: UnsafeMutablePointer<Float>
  let biasGradient: UnsafeMutablePointer<Float>
  let normalization: Normalization?
  /// nil: not quantized.
  let kernelQuantizer: Quantizer?
  let biasQuantizer: Quantizer?

  struct Normalization {
    let gamma: UnsafeMutablePointer<Float>
    let beta: UnsafeMutablePointer<Float>
    let gammaGradient: UnsafeMutablePointer<Float>
    let betaGradient: UnsafeMutablePointer<Float>
    let movingMean: UnsafeMutablePointer<Float>
    let movingVariance: UnsafeMutablePointer<Float>
  }

  var channels: Int { geometry.outputChannels }

  init(
    _ id: LayerID, in network: Network, batch: Int, weights: WeightStore, quantizers: QuantizerMap
  ) throws {
    let layer = network[id]
    guard case .weighted(let weighted) = layer.operation, let input = layer.inputs.first else {
      preconditionFailure("\(layer.name) has no weights")
    }
    geometry = ConvolutionGeometry(
      weighted, batch: batch, input: network[input].shape, output: layer.shape)
    name = layer.name
    kind = weighted.kind.rawValue
    isDense = weighted.kind == .dense
    let names = Dictionary(
      uniqueKeysWithValues: network.weights(of: id).map { ($0.role, $0.name) })
    func array(_ role: WeightSpec.Role) -> UnsafeMutablePointer<Float>? {
      names[role].map(weights.pointer)
    }
    func gradient(_ role: WeightSpec.Role) -> UnsafeMutablePointer<Float>? {
      names[role].map(weights.gradient)
    }
    guard let kernel = array(.kernel), let bias = array(.bias),
      let kernelGradient = gradient(.kernel), let biasGradient = gradient(.bias)
    else { preconditionFailure("\(layer.name) lacks a kernel or a bias") }
    self.kernel = kernel
    self.bias = bias
    self.kernelGradient = kernelGradient
    self.biasGradient = biasGradient
    if let gamma = array(.gamma), let beta = array(.beta), let mean = array(.movingMean),
      let variance = array(.movingVariance), let gammaGradient = gradient(.gamma),
      let betaGradient = gradient(.beta)
    {
      normalization = Normalization(
        gamma: gamma, beta: beta, gammaGradient: gammaGradient, betaGradient: betaGradient,
        movingMean: mean, movingVariance: variance)
    } else {
      normalization = nil
    }
    kernelQuantizer = try quantizers.kernels[layer.name].map {
      try Quantizer($0.effectiveKernelSpec())
    }
    biasQuantizer = try quantizers.biases[layer.name].map { try Quantizer($0) }
  }

  /// Whether map and kernel are codes of a byte times powers of two, and are multiplied as such.
  func isInBytes(_ input: MapNode) -> Bool {
    input.grids != nil && kernelQuantizer?.fitsBytes == true && ByteConvolution.suits(geometry)
  }

  /// `target` = the quantized `values`, both in the kernel's layout.
  ///
  /// - Parameter scales: gets the value of one code for each scale.
  func quantizeKernel(
    _ values: UnsafeMutablePointer<Float>, into target: UnsafeMutablePointer<Float>,
    scales: UnsafeMutablePointer<Float>? = nil
  ) {
    let rows = geometry.kernelCount / channels
    guard let kernelQuantizer else {
      if target != values { target.update(from: values, count: geometry.kernelCount) }
      return
    }
    kernelQuantizer.quantizeWeights(
      values, into: target,
      layout: geometry.isDepthwise
        ? .depthwise(rows: rows, channels: channels) : .kernel(rows: rows, channels: channels),
      scales: scales)
  }

  func quantizeBias(
    _ values: UnsafeMutablePointer<Float>, into target: UnsafeMutablePointer<Float>
  ) {
    guard let biasQuantizer else {
      if target != values { target.update(from: values, count: channels) }
      return
    }
    biasQuantizer.quantizeWeights(values, into: target, layout: .bias(count: channels))
  }
}

extension ConvolutionGeometry {
  package init(_ layer: WeightedLayer, batch: Int, input: [Int], output: [Int]) {
    if layer.kind == .dense {
      self.init(
        batch: batch, input: (1, 1, input.reduce(1, *)), output: (1, 1, layer.filters),
        kernel: (1, 1), stride: (1, 1), padding: (0, 0, 0, 0), isDepthwise: false)
      return
    }
    let rows = layer.padding.extents(
      input: input[0], kernel: layer.kernelHeight, stride: layer.strideHeight)
    let columns = layer.padding.extents(
      input: input[1], kernel: layer.kernelWidth, stride: layer.strideWidth)
    self.init(
      batch: batch, input: (input[0], input[1], input[2]),
      output: (output[0], output[1], output[2]),
      kernel: (layer.kernelHeight, layer.kernelWidth),
      stride: (layer.strideHeight, layer.strideWidth),
      padding: (rows.before, columns.before, rows.after, columns.after),
      isDepthwise: layer.kind == .depthwiseConv2D)
  }
}
