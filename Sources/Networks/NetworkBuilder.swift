//! Puts a network together layer by layer, naming layers as Keras does. Checks nothing that the
//! architectures in this target cannot get wrong.

/// A network in the making.
struct NetworkBuilder {
  private(set) var layers: [Layer] = []
  private var counts: [String: Int] = [:]
  var initializer: Initializer = .glorotUniform
  /// Keras gives depthwise kernels glorot_uniform whatever a network's other kernels get.
  var depthwiseInitializer: Initializer = .glorotUniform
  var denseInitializer: Initializer = .glorotUniform
  /// L2 on Conv2D kernels; depthwise and dense kernels have none.
  var l2: Float = 0

  /// Keras's automatic names: activation, activation_1, ...
  private mutating func unique(_ base: String) -> String {
    let count = counts[base, default: 0]
    counts[base] = count + 1
    return count == 0 ? base : "\(base)_\(count)"
  }

  /// - Parameter name: instead of the automatic one.
  private mutating func append(
    _ operation: Operation, named base: String, _ inputs: [LayerID], shape: [Int],
    name: String? = nil
  ) -> LayerID {
    layers.append(
      Layer(name: name ?? unique(base), operation: operation, inputs: inputs, shape: shape))
    return LayerID(layers.count - 1)
  }

  func shape(_ id: LayerID) -> [Int] { layers[id.index].shape }

  mutating func input(_ shape: [Int]) -> LayerID {
    append(.input, named: "input", [], shape: shape)
  }

  /// An activation slot.
  mutating func slot(_ x: LayerID) -> LayerID {
    append(.quantize, named: "activation", [x], shape: shape(x))
  }

  mutating func relu(_ x: LayerID) -> LayerID {
    append(.relu, named: "re_lu", [x], shape: shape(x))
  }

  mutating func relu6(_ x: LayerID) -> LayerID {
    append(.relu6, named: "re_lu", [x], shape: shape(x))
  }

  /// Swish with a slot before it and one behind.
  mutating func swish(_ x: LayerID) -> LayerID {
    slot(append(.swish, named: "swish", [slot(x)], shape: shape(x)))
  }

  mutating func sigmoid(_ x: LayerID) -> LayerID {
    append(.sigmoid, named: "sigmoid", [x], shape: shape(x))
  }

  mutating func add(_ x: LayerID, _ y: LayerID) -> LayerID {
    append(.add, named: "add", [x, y], shape: shape(x))
  }

  /// `x` times `gate`, of shape (1, 1, channels).
  mutating func multiply(_ x: LayerID, _ gate: LayerID) -> LayerID {
    append(.multiply, named: "multiply", [x, gate], shape: shape(x))
  }

  /// - Parameter keepsExtents: (1, 1, channels) instead of (channels).
  mutating func globalAveragePool(_ x: LayerID, keepsExtents: Bool) -> LayerID {
    let channels = shape(x)[2]
    return append(
      .globalAveragePool, named: "global_average_pooling2d", [x],
      shape: keepsExtents ? [1, 1, channels] : [channels])
  }

  mutating func dropout(_ x: LayerID, _ rate: Float) -> LayerID {
    append(.dropout(rate), named: "dropout", [x], shape: shape(x))
  }

  mutating func averagePool(_ x: LayerID, _ height: Int, _ width: Int) -> LayerID {
    let input = shape(x)
    return append(
      .averagePool(height: height, width: width), named: "average_pooling2d", [x],
      shape: [input[0] / height, input[1] / width, input[2]])
  }

  mutating func flatten(_ x: LayerID) -> LayerID {
    append(.flatten, named: "flatten", [x], shape: [shape(x).reduce(1, *)])
  }

  mutating func softmax(_ x: LayerID) -> LayerID {
    append(.softmax, named: "softmax", [x], shape: shape(x))
  }

  /// - Parameter name: the layer's, instead of conv2d, conv2d_1, ...; its batch normalization is
  ///   then called as `normalization` says.
  mutating func conv(
    _ x: LayerID, _ filters: Int, _ kernelHeight: Int, _ kernelWidth: Int, stride: Int = 1,
    normalized: Bool = true, name: String? = nil, normalization: String? = nil
  ) -> LayerID {
    let layer = WeightedLayer(
      kind: .conv2D, filters: filters, kernelHeight: kernelHeight, kernelWidth: kernelWidth,
      strideHeight: stride, strideWidth: stride,
      batchNormalization: normalized ? normalization ?? unique("batch_normalization") : nil,
      initializer: initializer, l2: l2)
    return weighted(x, layer, "conv2d", name: name)
  }

  mutating func depthwise(
    _ x: LayerID, _ kernel: Int, stride: Int = 1, name: String? = nil,
    normalization: String? = nil
  ) -> LayerID {
    let layer = WeightedLayer(
      kind: .depthwiseConv2D, filters: shape(x)[2], kernelHeight: kernel, kernelWidth: kernel,
      strideHeight: stride, strideWidth: stride,
      batchNormalization: normalization ?? unique("batch_normalization"),
      initializer: depthwiseInitializer)
    return weighted(x, layer, "depthwise_conv2d", name: name)
  }

  mutating func dense(
    _ x: LayerID, _ units: Int, normalized: Bool = false, name: String? = nil
  ) -> LayerID {
    let layer = WeightedLayer(
      kind: .dense, filters: units,
      batchNormalization: normalized ? unique("batch_normalization") : nil,
      initializer: denseInitializer)
    return weighted(x, layer, "dense", name: name)
  }

  private mutating func weighted(
    _ x: LayerID, _ layer: WeightedLayer, _ base: String, name: String?
  ) -> LayerID {
    append(
      .weighted(layer), named: base, [x], shape: layer.outputShape(from: shape(x)), name: name)
  }
}

extension WeightedLayer {
  /// The output's shape for an input of (height, width, channels), or (features) for a dense layer.
  package func outputShape(from input: [Int]) -> [Int] {
    if kind == .dense { return [filters] }
    return [
      padding.extents(input: input[0], kernel: kernelHeight, stride: strideHeight).output,
      padding.extents(input: input[1], kernel: kernelWidth, stride: strideWidth).output,
      filters,
    ]
  }
}
