//! A network as JSON, layer by layer: how one of a user's own gets into a key and to the worker.
//! What is read is checked like what a user writes.

/// A layer's fields; those that its kind has not are absent.
private struct LayerFields: Codable {
  /// An operation without its numbers.
  enum Kind: String, Codable {
    case input, quantize, conv2d, dense, relu, relu6, swish, sigmoid, add, multiply, dropout
    case flatten, softmax
    case depthwiseConv2D = "depthwise_conv2d"
    case averagePooling2D = "average_pooling2d"
    case globalAveragePooling2D = "global_average_pooling2d"
  }

  enum CodingKeys: String, CodingKey {
    case name, kind, inputs, shape, filters, strides, padding, l2, keepdims, rate
    case kernelSize = "kernel_size"
    case batchNormalization = "batch_normalization"
    case kernelInitializer = "kernel_initializer"
    case poolSize = "pool_size"
  }

  var name: String
  var kind: Kind
  /// Places of the layers that it reads.
  var inputs: [Int]
  /// Of the input alone; the others' follow.
  var shape: [Int]?
  var filters: Int?
  var kernelSize: [Int]?
  var strides: [Int]?
  var padding: Padding?
  var batchNormalization: String?
  var kernelInitializer: Initializer?
  var l2: Float?
  var poolSize: [Int]?
  var keepdims: Bool?
  var rate: Float?
}

extension Network: Codable {
  private enum CodingKeys: String, CodingKey {
    case layers
    case inputIsNonNegative = "non_negative_input"
    case countsSoftmax = "count_softmax"
  }

  /// What a network is called that no architecture of ours is.
  package static let ownName = "the network"

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    var builder = NetworkBuilder()
    for fields in try container.decode([LayerFields].self, forKey: .layers) {
      do {
        try builder.append(fields)
      } catch {
        throw DecodingError.dataCorruptedError(
          forKey: .layers, in: container, debugDescription: "\(error)")
      }
    }
    self.init(
      name: Self.ownName, layers: builder.layers,
      inputIsNonNegative: try container.decode(Bool.self, forKey: .inputIsNonNegative),
      countsSoftmax: try container.decode(Bool.self, forKey: .countsSoftmax))
  }

  /// Everything but the name.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(layers.map(LayerFields.init), forKey: .layers)
    try container.encode(inputIsNonNegative, forKey: .inputIsNonNegative)
    try container.encode(countsSoftmax, forKey: .countsSoftmax)
  }
}

extension LayerFields {
  init(_ layer: Layer) {
    self.init(name: layer.name, kind: .input, inputs: layer.inputs.map(\.index))
    switch layer.operation {
    case .input: shape = layer.shape
    case .quantize: kind = .quantize
    case .weighted(let weighted): set(weighted)
    case .relu: kind = .relu
    case .relu6: kind = .relu6
    case .swish: kind = .swish
    case .sigmoid: kind = .sigmoid
    case .add: kind = .add
    case .multiply: kind = .multiply
    case .averagePool(let height, let width):
      kind = .averagePooling2D
      poolSize = [height, width]
    case .globalAveragePool:
      kind = .globalAveragePooling2D
      keepdims = layer.shape.count == 3
    case .dropout(let probability):
      kind = .dropout
      rate = probability
    case .flatten: kind = .flatten
    case .softmax: kind = .softmax
    }
  }

  private init(name: String, kind: Kind, inputs: [Int]) {
    self.name = name
    self.kind = kind
    self.inputs = inputs
  }

  private mutating func set(_ layer: WeightedLayer) {
    switch layer.kind {
    case .conv2D: kind = .conv2d
    case .depthwiseConv2D: kind = .depthwiseConv2D
    case .dense: kind = .dense
    }
    filters = layer.filters
    if layer.kind != .dense {
      kernelSize = [layer.kernelHeight, layer.kernelWidth]
      strides = [layer.strideHeight, layer.strideWidth]
      padding = layer.padding
    }
    batchNormalization = layer.batchNormalization
    kernelInitializer = layer.initializer
    l2 = layer.l2
  }

  /// The operation; nil where a number that it needs is absent.
  var operation: Operation? {
    switch kind {
    case .input: .input
    case .quantize: .quantize
    case .conv2d: weighted(.conv2D).map { .weighted($0) }
    case .depthwiseConv2D: weighted(.depthwiseConv2D).map { .weighted($0) }
    case .dense: weighted(.dense).map { .weighted($0) }
    case .relu: .relu
    case .relu6: .relu6
    case .swish: .swish
    case .sigmoid: .sigmoid
    case .add: .add
    case .multiply: .multiply
    case .dropout: rate.map { .dropout($0) }
    case .flatten: .flatten
    case .softmax: .softmax
    case .averagePooling2D:
      poolSize.flatMap { $0.count == 2 ? .averagePool(height: $0[0], width: $0[1]) : nil }
    case .globalAveragePooling2D: .globalAveragePool
    }
  }

  private func weighted(_ kind: WeightedLayer.Kind) -> WeightedLayer? {
    let kernel = kernelSize ?? [1, 1]
    let strides = strides ?? [1, 1]
    guard let filters, kernel.count == 2, strides.count == 2 else { return nil }
    return WeightedLayer(
      kind: kind, filters: filters, kernelHeight: kernel[0], kernelWidth: kernel[1],
      strideHeight: strides[0], strideWidth: strides[1], padding: padding ?? .same,
      batchNormalization: batchNormalization, initializer: kernelInitializer ?? .glorotUniform,
      l2: l2 ?? 0)
  }
}

extension NetworkBuilder {
  fileprivate mutating func append(_ fields: LayerFields) throws(LayerError) {
    if case .input = fields.kind {
      guard layers.isEmpty, let shape = fields.shape else {
        throw LayerError("a network has one input, with a shape, as its first layer")
      }
      _ = try appendInput(shape)
      return
    }
    guard let operation = fields.operation else {
      throw LayerError("`\(fields.name)` lacks a number that its kind needs")
    }
    guard fields.inputs.allSatisfy(layers.indices.contains) else {
      throw LayerError("`\(fields.name)` reads a layer that does not stand before it")
    }
    _ = try append(
      operation, fields.inputs.map { LayerID($0) }, name: fields.name,
      keepsExtents: fields.keepdims ?? false)
  }
}
