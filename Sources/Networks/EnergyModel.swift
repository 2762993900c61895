//! What an inference costs in energy, as QKeras's forgiving factor by energy reckons it. Knows no
//! accuracy and no bits' worth.

import Glibc

/// Energies of operations, in picojoules. The default is QKeras 0.9.0's table "horowitz", fitted to
/// M. Horowitz, "Computing's energy problem", ISSCC 2014, figure 1.1.9 (45 nm, 0.9 V).
package struct EnergyTable: Hashable, Sendable, Codable {
  /// A polynomial's coefficients, the highest power first; a negative value counts 0.
  package typealias Polynomial = [Double]

  /// By the sum's bits.
  package var integerAdd: Polynomial = [0.003125, 0]
  /// By the geometric mean of the factors' bits.
  package var integerMultiply: Polynomial = [0.002994791667, 0.001041666667, 0]
  package var float32Add = 0.9
  package var float32Multiply = 3.7
  /// A word of 64 bits, by the binary logarithm of the bits of the tensor it is in.
  package var sramAccess: Polynomial = [9.02427321e-04, -2.68847858e-02, 2.08900804e-01, 0]
  /// By the bits that are moved.
  package var dramAccess: Polynomial = [20.3125, 0]

  package init() {}

  package enum CodingKeys: String, CodingKey, CaseIterable {
    case integerAdd = "integer_add"
    case integerMultiply = "integer_multiply"
    case float32Add = "float32_add"
    case float32Multiply = "float32_multiply"
    case sramAccess = "sram_access"
    case dramAccess = "dram_access"
  }

  fileprivate static func value(_ polynomial: Polynomial, at x: Double) -> Double {
    max(polynomial.reduce(0) { $0 * x + $1 }, 0)
  }

  fileprivate func add(bits: Int?) -> Double {
    bits.map { Self.value(integerAdd, at: Double($0)) } ?? float32Add
  }

  fileprivate func multiply(_ one: Int?, _ other: Int?) -> Double {
    guard let one, let other else { return float32Multiply }
    return Self.value(integerMultiply, at: Double(one * other).squareRoot())
  }

  /// Moving a tensor between DRAM and SRAM, either way.
  fileprivate func move(elements: Int, bits: Int?) -> Double {
    let total = Double(elements * (bits ?? 32))
    if total == 0 { return 0 }
    let words = (total / 64).rounded(.up)
    return Self.value(dramAccess, at: total) + words * Self.value(sramAccess, at: log2(total))
  }
}

/// Picojoules of one inference, layer by layer.
///
/// The rules are those of QKeras's `ForgivingFactorPower` with its defaults: kernels lie where they
/// are used, activations in DRAM. A weighted layer and a pool pay for reading their input and for
/// each multiplication and addition, a sum for its additions, a slot for writing. What they differ
/// in: the layers are folded ones, which QKeras's sums leave out, counted like those without batch
/// normalization; an activation function is part of the slot behind it; nothing is rounded.
package struct EnergyCost: Hashable, Sendable {
  /// By the layer's name, in the layers' order; what costs nothing is left out.
  package private(set) var layers: [(name: String, picojoules: Double)] = []

  package var picojoules: Double { layers.reduce(0) { $0 + $1.picojoules } }

  package static func == (one: EnergyCost, other: EnergyCost) -> Bool {
    one.layers.elementsEqual(other.layers) { $0 == $1 }
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(picojoules) }

  /// - Parameter bits: of each slot; nil for float32.
  package init(
    of network: Network, table: EnergyTable = EnergyTable(), bits: (Slot) -> Int?
  ) {
    var slotBits: [String: (kernel: Int?, activation: Int?)] = [:]
    for slot in network.slots {
      switch slot.role {
      case .kernel: slotBits[slot.name, default: (nil, nil)].kernel = bits(slot)
      case .activation: slotBits[slot.name, default: (nil, nil)].activation = bits(slot)
      case .bias: break
      }
    }
    // Bits of each layer's output; nil for float32.
    var outputs: [Int?] = []
    for layer in network.layers {
      let inputs = layer.inputs.map { (shape: network[$0].shape, bits: outputs[$0.index]) }
      let slot = slotBits[layer.name]
      let (energy, output) = Self.energy(
        of: layer, inputs: inputs, kernelBits: slot?.kernel, slotBits: slot?.activation, table)
      outputs.append(output)
      if let energy { layers.append((layer.name, energy)) }
    }
  }

  package init(of network: Network, under map: QuantizerMap, table: EnergyTable = EnergyTable()) {
    self.init(of: network, table: table) { map[$0]?.bits }
  }

  /// The forgiving factor's reference: everything in float32.
  package static func reference(
    of network: Network, table: EnergyTable = EnergyTable()
  ) -> EnergyCost {
    EnergyCost(of: network, table: table) { _ in nil }
  }

  /// A layer's energy, nil where none is counted, and the bits of what it puts out.
  private static func energy(
    of layer: Layer, inputs: [(shape: [Int], bits: Int?)], kernelBits: Int?, slotBits: Int?,
    _ table: EnergyTable
  ) -> (Double?, Int?) {
    func size(_ shape: [Int]) -> Int { shape.reduce(1, *) }
    let reading = inputs.reduce(0) { $0 + table.move(elements: size($1.shape), bits: $1.bits) }
    let input = inputs.first ?? ([], nil)
    switch layer.operation {
    case .input: return (nil, 8)
    case .quantize: return (table.move(elements: size(layer.shape), bits: slotBits), slotBits)
    case .weighted(let weighted):
      let channelsIn = input.shape.last ?? 1
      let window = weighted.kernelHeight * weighted.kernelWidth
      let products = weighted.kind == .depthwiseConv2D ? window : window * channelsIn
      // QKeras takes a depthwise kernel's channels for terms of its sum.
      let terms = Double(window * channelsIn + 1)
      let sum = input.bits.flatMap { input in kernelBits.map { input + $0 + ceilLog2(terms) } }
      let operations = Double(size(layer.shape) * products)
      let each = table.multiply(input.bits, kernelBits) + table.add(bits: sum)
      return (reading + operations * each, sum)
    case .add:
      let known = inputs.compactMap(\.bits)
      let sum = known.count == inputs.count ? (known.max() ?? 0) + 1 : nil
      return (Double((inputs.count - 1) * size(layer.shape)) * table.add(bits: sum), sum)
    case .multiply:
      let other = inputs.last?.bits
      let product = input.bits.flatMap { one in other.map { one + $0 } }
      return (reading + Double(size(layer.shape)) * table.multiply(input.bits, other), product)
    case .averagePool(let height, let width):
      return pool(height * width)
    case .globalAveragePool:
      return pool(size(input.shape) / max(input.shape.last ?? 1, 1))
    case .flatten: return (reading, input.bits)
    // Read as float32 by whatever takes the classes.
    case .softmax: return (table.move(elements: size(layer.shape), bits: nil), nil)
    case .relu, .relu6, .swish, .sigmoid, .dropout: return (nil, input.bits)
    }

    /// QKeras counts one window a channel, whatever the pool's stride.
    func pool(_ window: Int) -> (Double?, Int?) {
      let sum = input.bits.map { $0 + ceilLog2(Double(window)) }
      let additions = Double((layer.shape.last ?? 1) * window)
      return (reading + additions * table.add(bits: sum), sum)
    }
  }

  private static func ceilLog2(_ value: Double) -> Int { Int(log2(value).rounded(.up)) }
}
