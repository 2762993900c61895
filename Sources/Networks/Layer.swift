//! One layer of a network as a plain value: what it computes and the shapes it computes it on.

/// A layer's place in `Network.layers`; inputs always come before the layers that read them.
package struct LayerID: Hashable, Sendable, Comparable {
  package let index: Int

  package init(_ index: Int) { self.index = index }

  package static func < (one: LayerID, other: LayerID) -> Bool { one.index < other.index }
}

/// How many rows or columns a convolution adds around its input.
package enum Padding: String, Hashable, Sendable, Codable, CaseIterable {
  /// TensorFlow's: output = ceil(input / stride), the odd row or column at the end.
  case same
  case valid

  /// Output extent, and the padding before and after, along one axis.
  package func extents(input: Int, kernel: Int, stride: Int) -> (
    output: Int, before: Int, after: Int
  ) {
    switch self {
    case .valid: return ((input - kernel) / stride + 1, 0, 0)
    case .same:
      let output = (input + stride - 1) / stride
      let total = max((output - 1) * stride + kernel - input, 0)
      return (output, total / 2, total - total / 2)
    }
  }
}

/// How a kernel's first values are drawn (Keras's initializers, same names).
package enum Initializer: String, Hashable, Sendable, Codable, CaseIterable {
  /// Uniform in +-sqrt(6 / (fan_in + fan_out)).
  case glorotUniform = "glorot_uniform"
  /// Normal of variance 2 / fan_in, truncated at two deviations.
  case heNormal = "he_normal"
  /// Normal of variance 2 / fan_out, truncated at two deviations: keras.applications'
  /// EfficientNet, VarianceScaling(2, fan_out, truncated_normal).
  case fanOutNormal = "fan_out_normal"
  /// Uniform of variance 1 / (3 fan_out): VarianceScaling(1/3, fan_out, uniform).
  case fanOutUniform = "fan_out_uniform"
}

/// A layer with a kernel and a bias, and the batch normalization that is folded into it, if any.
package struct WeightedLayer: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    /// Kernel (height, width, channels in, filters).
    case conv2D = "Conv2D"
    /// Kernel (height, width, channels, 1).
    case depthwiseConv2D = "DepthwiseConv2D"
    /// Kernel (features in, units).
    case dense = "Dense"
  }

  package var kind: Kind
  /// Channels of the output: filters, or units; a depthwise layer keeps its input's.
  package var filters: Int
  package var kernelHeight: Int
  package var kernelWidth: Int
  package var strideHeight: Int
  package var strideWidth: Int
  package var padding: Padding
  /// The Keras name of the batch normalization behind the layer; nil where there is none.
  package var batchNormalization: String?
  package var initializer: Initializer
  /// c of Keras's l2(c): the loss has c * sum(kernel^2) added.
  package var l2: Float

  package init(
    kind: Kind, filters: Int, kernelHeight: Int = 1, kernelWidth: Int = 1, strideHeight: Int = 1,
    strideWidth: Int = 1, padding: Padding = .same, batchNormalization: String?,
    initializer: Initializer = .glorotUniform, l2: Float = 0
  ) {
    self.kind = kind
    self.filters = filters
    self.kernelHeight = kernelHeight
    self.kernelWidth = kernelWidth
    self.strideHeight = strideHeight
    self.strideWidth = strideWidth
    self.padding = padding
    self.batchNormalization = batchNormalization
    self.initializer = initializer
    self.l2 = l2
  }
}

/// What a layer computes.
package enum Operation: Hashable, Sendable {
  /// The network's input.
  case input
  /// A place where activations are quantized: a slot, named by its layer.
  case quantize
  case weighted(WeightedLayer)
  case relu
  /// min(max(x, 0), 6).
  case relu6
  /// x * sigmoid(x).
  case swish
  case sigmoid
  /// The sum of two maps of equal shape.
  case add
  /// A map times a gate of one number per sample and channel (squeeze and excite): the second
  /// input's shape is (1, 1, channels).
  case multiply
  /// Means over windows of the given size, as strides.
  case averagePool(height: Int, width: Int)
  /// Means over all positions: (1, 1, channels), or (channels) without the extents of 1.
  case globalAveragePool
  /// In the training of float networks, zeros with this probability and else the value divided by
  /// one minus it; the identity everywhere else.
  case dropout(Float)
  case flatten
  case softmax
}

/// A layer: its Keras name, what it computes, from which layers, and its output's shape.
package struct Layer: Hashable, Sendable {
  package var name: String
  package var operation: Operation
  package var inputs: [LayerID]
  /// Without the batch: (height, width, channels) or (features).
  package var shape: [Int]

  package init(name: String, operation: Operation, inputs: [LayerID], shape: [Int]) {
    self.name = name
    self.operation = operation
    self.inputs = inputs
    self.shape = shape
  }

  /// Values per sample.
  package var elements: Int { shape.reduce(1, *) }
}
