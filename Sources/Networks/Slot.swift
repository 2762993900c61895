//! A place in a network whose bits can be chosen.

/// A quantization slot: a layer's kernel, its bias, or an activation.
package struct Slot: Hashable, Sendable {
  package enum Role: String, Hashable, Sendable, Codable {
    case kernel
    case bias
    case activation
  }

  /// The layer's name (kernel and bias share it), or the activation's: `activation_4`.
  package var name: String
  package var role: Role
  /// Conv2D, DepthwiseConv2D, Dense or Activation: the class keys of `limit` and of quantizer maps.
  package var layerClass: String
  /// Of the kernel or bias; of one sample for an activation.
  package var shape: [Int]
  /// Whether the graph guarantees values of at least 0.
  package var isNonNegative: Bool

  package var elements: Int { shape.reduce(1, *) }
}

extension Network {
  /// All slots in the order of the layers; a weighted layer's kernel, then its bias.
  package var slots: [Slot] {
    let nonNegative = nonNegativeLayers
    var slots: [Slot] = []
    for (index, layer) in layers.enumerated() {
      switch layer.operation {
      case .quantize:
        slots.append(
          Slot(
            name: layer.name, role: .activation, layerClass: "Activation", shape: layer.shape,
            isNonNegative: nonNegative[index]))
      case .weighted(let weighted):
        for weight in weights(of: LayerID(index))
        where weight.role == .kernel || weight.role == .bias {
          slots.append(
            Slot(
              name: layer.name, role: weight.role == .kernel ? .kernel : .bias,
              layerClass: weighted.kind.rawValue, shape: weight.shape, isNonNegative: false))
        }
      default: break
      }
    }
    return slots
  }
}
