//! Puts a network together layer by layer, naming layers as Keras does. The builder functions check
//! nothing that the architectures in this target cannot get wrong; `append` checks everything.

/// A network in the making.
package struct NetworkBuilder {
  package private(set) var layers: [Layer] = []
  private var counts: [String: Int] = [:]
  private var size = NetworkSize()
  var initializer: Initializer = .glorotUniform
  /// Keras gives depthwise kernels glorot_uniform whatever a network's other kernels get.
  var depthwiseInitializer: Initializer = .glorotUniform
  var denseInitializer: Initializer = .glorotUniform
  /// L2 on Conv2D kernels; depthwise and dense kernels have none.
  var l2: Float = 0

  package init() {}

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

  package func shape(_ id: LayerID) -> [Int] { layers[id.index].shape }

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

extension NetworkBuilder {
  /// Appends the network's input.
  package mutating func appendInput(_ shape: [Int]) throws(LayerError) -> LayerID {
    guard shape.count == 1 || shape.count == 3, shape.allSatisfy({ $0 > 0 }) else {
      throw LayerError("`input` is of (features) or (height, width, channels), each at least 1")
    }
    return try append(.input, [], name: nil, shape: shape)
  }

  /// Appends a layer of any kind, whose shape follows from its inputs', or says why it cannot stand.
  ///
  /// - Parameters:
  ///   - name: instead of Keras's automatic one.
  ///   - keepsExtents: of a global average pool: (1, 1, channels) instead of (channels).
  package mutating func append(
    _ operation: Operation, _ inputs: [LayerID], name: String? = nil, keepsExtents: Bool = false
  ) throws(LayerError) -> LayerID {
    let shapes = inputs.map { shape($0) }
    let name = name ?? unique(operation.baseName)
    do {
      let shape = try operation.outputShape(of: shapes, keepsExtents: keepsExtents)
      return try append(operation, inputs, name: name, shape: shape)
    } catch {
      throw LayerError("`\(name)` \(error)")
    }
  }

  /// The automatic name of the next batch normalization.
  package mutating func batchNormalizationName() -> String { unique("batch_normalization") }

  private mutating func append(
    _ operation: Operation, _ inputs: [LayerID], name: String?, shape: [Int]
  ) throws(LayerError) -> LayerID {
    let layer = Layer(
      name: name ?? unique(operation.baseName), operation: operation, inputs: inputs, shape: shape)
    try size.add(layer, inputs: inputs.map { self.shape($0) })
    layers.append(layer)
    return LayerID(layers.count - 1)
  }
}

/// How large a network has become, and what names it has given.
private struct NetworkSize {
  /// 1 GB of weights, and as much for the values of one sample.
  static let limit = 1 << 28

  private var weights = 0
  private var values = 0
  private var names: Set<String> = []

  mutating func add(_ layer: Layer, inputs: [[Int]]) throws(LayerError) {
    var names = [layer.name]
    var kernel = [0]
    if case .weighted(let weighted) = layer.operation {
      let channels = inputs.first?.last ?? 1
      kernel = [
        weighted.kernelHeight, weighted.kernelWidth, channels,
        weighted.kind == .depthwiseConv2D ? 1 : weighted.filters,
      ]
      if let normalization = weighted.batchNormalization { names.append(normalization) }
    }
    for name in names where !self.names.insert(name).inserted {
      throw LayerError(
        name == layer.name
          ? "is a name that another layer has" : "has a batch normalization whose name is taken")
    }
    weights += try Self.bounded(kernel, weights, "weights")
    values += try Self.bounded(layer.shape, values, "values for each sample")
  }

  private static func bounded(
    _ extents: [Int], _ already: Int, _ what: String
  ) throws(LayerError) -> Int {
    guard let count = Shape.product(extents), count <= limit else {
      throw LayerError(
        "has \(extents.map { "\($0)" }.joined(separator: " x ")) \(what): "
          + "a network may have \(limit)")
    }
    guard already + count <= limit else {
      throw LayerError("brings the network to \(already + count) \(what): it may have \(limit)")
    }
    return count
  }
}

extension Operation {
  /// What Keras's automatic names of such layers begin with.
  fileprivate var baseName: String {
    switch self {
    case .input: "input"
    case .quantize: "activation"
    case .weighted(let layer):
      switch layer.kind {
      case .conv2D: "conv2d"
      case .depthwiseConv2D: "depthwise_conv2d"
      case .dense: "dense"
      }
    case .relu, .relu6: "re_lu"
    case .swish: "swish"
    case .sigmoid: "sigmoid"
    case .add: "add"
    case .multiply: "multiply"
    case .averagePool: "average_pooling2d"
    case .globalAveragePool: "global_average_pooling2d"
    case .dropout: "dropout"
    case .flatten: "flatten"
    case .softmax: "softmax"
    }
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
