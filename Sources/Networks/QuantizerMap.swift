//! Which quantizer stands in which slot. Knows no tensor.

/// Quantizers by slot; a slot without one stays in float32.
package struct QuantizerMap: Hashable, Sendable, Codable {
  /// By layer name.
  package var kernels: [String: QuantizerSpec]
  /// By layer name.
  package var biases: [String: QuantizerSpec]
  /// By activation name.
  package var activations: [String: QuantizerSpec]

  package init(
    kernels: [String: QuantizerSpec] = [:], biases: [String: QuantizerSpec] = [:],
    activations: [String: QuantizerSpec] = [:]
  ) {
    self.kernels = kernels
    self.biases = biases
    self.activations = activations
  }

  /// Nothing quantized.
  package static let float = QuantizerMap()

  /// The same quantizers in every slot of `network`; nil leaves a role in float32.
  package static func flat(
    kernel: QuantizerSpec?, bias: QuantizerSpec?, activation: QuantizerSpec?, for network: Network
  ) -> QuantizerMap {
    var map = QuantizerMap()
    for slot in network.slots {
      switch slot.role {
      case .kernel: map[slot] = kernel
      case .bias: map[slot] = bias
      case .activation: map[slot] = activation
      }
    }
    return map
  }

  package subscript(slot: Slot) -> QuantizerSpec? {
    get {
      switch slot.role {
      case .kernel: kernels[slot.name]
      case .bias: biases[slot.name]
      case .activation: activations[slot.name]
      }
    }
    set {
      switch slot.role {
      case .kernel: kernels[slot.name] = newValue
      case .bias: biases[slot.name] = newValue
      case .activation: activations[slot.name] = newValue
      }
    }
  }

  package var isFloat: Bool { kernels.isEmpty && biases.isEmpty && activations.isEmpty }

  /// The same map with the alphas of the chosen slots replaced; bits, weights and statistics stay.
  ///
  /// - Parameter isChosen: which slots change; nil chooses all.
  package func switching(
    to alpha: QuantizerSpec.Alpha, in network: Network, where isChosen: ((Slot) -> Bool)? = nil
  ) -> QuantizerMap {
    var map = self
    for slot in network.slots where isChosen?(slot) ?? true {
      map[slot]?.alpha = alpha
    }
    return map
  }
}
