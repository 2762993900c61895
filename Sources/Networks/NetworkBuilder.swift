//! Puts a network together layer by layer, naming layers as Keras does. Checks nothing that the
//! architectures in this target cannot get wrong.

/// A network in the making.
struct NetworkBuilder {
  private(set) var layers: [Layer] = []
  private var counts: [String: Int] = [:]
  var initializer: Initializer = .glorotUniform
  var denseInitializer: Initializer = .glorotUniform
  /// L2 on Conv2D kernels; depthwise and dense kernels have none.
  var l2: Float = 0

  /// Keras's automatic names: activation, activation_1, ...
  private mutating func unique(_ base: String) -> String {
    let count = counts[base, default: 0]
    counts[base] = count + 1
    return count == 0 ? base : "\(base)_\(count)"
  }

  private mutating func append(
    _ operation: Operation, named base: String, _ inputs: [LayerID], shape: [Int]
  ) -> LayerID {
    layers.append(Layer(name: unique(base), operation: operation, inputs: inputs, shape: shape))
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

  mutating func add(_ x: LayerID, _ y: LayerID) -> LayerID {
    append(.add, named: "add", [x, y], shape: shape(x))
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

  mutating func conv(
    _ x: LayerID, _ filters: Int, _ kernelHeight: Int, _ kernelWidth: Int, stride: Int = 1,
    normalized: Bool = true
  ) -> LayerID {
    weighted(
      x, .conv2D, "conv2d", filters: filters, (kernelHeight, kernelWidth), stride,
      normalized: normalized, initializer, l2: l2)
  }

  mutating func depthwise(_ x: LayerID, _ kernel: Int, stride: Int = 1) -> LayerID {
    // Keras gives depthwise kernels glorot_uniform whatever the network's conv initializer is.
    weighted(
      x, .depthwiseConv2D, "depthwise_conv2d", filters: shape(x)[2], (kernel, kernel), stride,
      normalized: true, .glorotUniform, l2: 0)
  }

  mutating func dense(_ x: LayerID, _ units: Int, normalized: Bool = false) -> LayerID {
    weighted(
      x, .dense, "dense", filters: units, (1, 1), 1, normalized: normalized, denseInitializer, l2: 0
    )
  }

  private mutating func weighted(
    _ x: LayerID, _ kind: WeightedLayer.Kind, _ base: String, filters: Int,
    _ kernel: (height: Int, width: Int), _ stride: Int, normalized: Bool,
    _ initializer: Initializer, l2: Float
  ) -> LayerID {
    let input = shape(x)
    let layer = WeightedLayer(
      kind: kind, filters: filters, kernelHeight: kernel.height, kernelWidth: kernel.width,
      strideHeight: stride, strideWidth: stride, padding: .same,
      batchNormalization: normalized ? unique("batch_normalization") : nil,
      initializer: initializer, l2: l2)
    let output =
      kind == .dense
      ? [filters]
      : [
        layer.padding.extents(input: input[0], kernel: kernel.height, stride: stride).output,
        layer.padding.extents(input: input[1], kernel: kernel.width, stride: stride).output,
        filters,
      ]
    return append(.weighted(layer), named: base, [x], shape: output)
  }
}
