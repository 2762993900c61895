//! What a quantized network costs in bits, and how that bends its score. Knows no accuracy.

import Glibc

/// Bits of a network's parameters and activations, as AutoQKeras counts them.
package struct BitCost: Hashable, Sendable, Codable {
  /// Kernel elements times kernel bits plus bias elements times bias bits; batch norm counts 0.
  package var parameterBits: Int
  /// Elements per sample of each slot times its bits, plus the network's input.
  package var activationBits: Int

  package var totalBits: Int { parameterBits + activationBits }

  enum CodingKeys: String, CodingKey {
    case parameterBits = "parameter_bits"
    case activationBits = "activation_bits"
  }

  /// The cost of `network` with `bits` in each slot; `inputBits` for the network's own input,
  /// `outputBits` for its softmax where that counts.
  package init(
    of network: Network, inputBits: Int = 8, outputBits: Int = 8, bits: (Slot) -> Int
  ) {
    parameterBits = 0
    activationBits = network.inputShape.reduce(1, *) * inputBits
    if network.countsSoftmax { activationBits += network.outputShape.reduce(1, *) * outputBits }
    for slot in network.slots {
      let cost = slot.elements * bits(slot)
      if slot.role == .activation { activationBits += cost } else { parameterBits += cost }
    }
  }

  /// The cost of `network` under `map`; a slot in float32 counts 32 bits.
  package init(of network: Network, under map: QuantizerMap) {
    self.init(of: network) { map[$0]?.bits ?? 32 }
  }

  /// AutoQKeras's reference: kernels and activations of 16 bits, biases of 31.
  package static func reference(of network: Network) -> BitCost {
    BitCost(of: network) { $0.role == .bias ? 31 : 16 }
  }
}

/// AutoQKeras's forgiving factor: how much accuracy a smaller network may lose.
package struct ForgivingFactor: Hashable, Sendable, Codable {
  /// Per cent of score for each halving below the reference.
  package var deltaP: Double
  /// Per cent of score for each doubling above it.
  package var deltaN: Double
  /// Base of the logarithm: 2 for halvings.
  package var rate: Double
  /// Factor on the reference size.
  package var stress: Double

  package init(deltaP: Double, deltaN: Double, rate: Double, stress: Double) {
    self.deltaP = deltaP
    self.deltaN = deltaN
    self.rate = rate
    self.stress = stress
  }

  enum CodingKeys: String, CodingKey {
    case deltaP = "delta_p"
    case deltaN = "delta_n"
    case rate
    case stress
  }

  /// The share by which the metric is raised or lowered: D * log_rate(stress * reference / trial).
  package func delta(reference: BitCost, trial: BitCost) -> Double {
    delta(allowed: stress * Double(reference.totalBits), size: Double(trial.totalBits))
  }

  /// The same by energy. QKeras 0.9.0 forgets the stress here; ours counts.
  package func delta(reference: EnergyCost, trial: EnergyCost) -> Double {
    delta(allowed: stress * reference.picojoules, size: trial.picojoules)
  }

  /// The same of sizes, the allowed one with its stress.
  func delta(allowed: Double, size: Double) -> Double {
    (size < allowed ? deltaP : deltaN) / 100 * log(allowed / size) / log(rate)
  }

  /// What a trial is worth.
  ///
  /// - Parameter delta: the share by which its cost raises or lowers its metric.
  package static func score(metric: Double, delta: Double) -> Double { metric * (1 + delta) }
}
