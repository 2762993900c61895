//! A network as a plain value: its layers in order, its weights' names and shapes, and its
//! quantization slots. Holds no numbers.

/// A network: layers in an order in which each comes after what it reads.
package struct Network: Hashable, Sendable {
  package var name: String
  package var layers: [Layer]
  /// Images and spectral magnitudes are; standardised features are not.
  package var inputIsNonNegative: Bool
  /// Whether AutoQKeras counts the softmax at the end as one more activation, of 8 bits: in the
  /// thesis's MobileNetV2 it is a layer of the class that is counted.
  package var countsSoftmax: Bool

  package init(
    name: String, layers: [Layer], inputIsNonNegative: Bool, countsSoftmax: Bool = false
  ) {
    self.name = name
    self.layers = layers
    self.inputIsNonNegative = inputIsNonNegative
    self.countsSoftmax = countsSoftmax
  }

  package var inputShape: [Int] { layers.first?.shape ?? [] }
  package var outputShape: [Int] { layers.last?.shape ?? [] }

  package subscript(id: LayerID) -> Layer { layers[id.index] }
}

/// One array of a network's weights.
package struct WeightSpec: Hashable, Sendable {
  package enum Role: String, Hashable, Sendable {
    case kernel
    case bias
    case gamma
    case beta
    case movingMean = "moving_mean"
    case movingVariance = "moving_variance"

    /// Whether the optimizer moves it; the moving statistics are averages instead.
    package var isTrainable: Bool { self != .movingMean && self != .movingVariance }
  }

  /// Keras's layer name and the array's: "conv2d/kernel", "batch_normalization/gamma".
  package var name: String
  package var role: Role
  package var shape: [Int]
  /// The weighted layer that it belongs to.
  package var layer: LayerID
}

extension Network {
  /// Every array, layer by layer: kernel, bias, gamma, beta, moving mean, moving variance.
  package var weights: [WeightSpec] {
    layers.indices.flatMap { weights(of: LayerID($0)) }
  }

  package func weights(of id: LayerID) -> [WeightSpec] {
    let layer = self[id]
    guard case .weighted(let weighted) = layer.operation, let input = layer.inputs.first else {
      return []
    }
    let channelsIn = self[input].shape.last ?? 1
    let kernelShape =
      switch weighted.kind {
      case .conv2D: [weighted.kernelHeight, weighted.kernelWidth, channelsIn, weighted.filters]
      case .depthwiseConv2D: [weighted.kernelHeight, weighted.kernelWidth, channelsIn, 1]
      case .dense: [channelsIn, weighted.filters]
      }
    func spec(_ owner: String, _ role: WeightSpec.Role, _ shape: [Int]) -> WeightSpec {
      // Keras calls a depthwise kernel depthwise_kernel.
      let name =
        role == .kernel && weighted.kind == .depthwiseConv2D ? "depthwise_kernel" : role.rawValue
      return WeightSpec(name: "\(owner)/\(name)", role: role, shape: shape, layer: id)
    }
    let channels = [weighted.filters]
    var all = [spec(layer.name, .kernel, kernelShape), spec(layer.name, .bias, channels)]
    if let normalization = weighted.batchNormalization {
      let roles: [WeightSpec.Role] = [.gamma, .beta, .movingMean, .movingVariance]
      all += roles.map { spec(normalization, $0, channels) }
    }
    return all
  }

  /// Whether the graph guarantees that a layer's values are at least 0.
  package var nonNegativeLayers: [Bool] {
    var known: [Bool] = []
    for layer in layers {
      let inputs = layer.inputs.map { known[$0.index] }
      let result =
        switch layer.operation {
        case .input: inputIsNonNegative
        case .relu, .relu6, .sigmoid, .softmax: true
        case .weighted, .swish: false
        case .quantize, .averagePool, .globalAveragePool, .dropout, .flatten, .add, .multiply:
          inputs.allSatisfy { $0 }
        }
      known.append(result)
    }
    return known
  }
}
