//! AutoQKeras's stats block: what a quantized network costs beside its reference. Knows no accuracy.

import Glibc

/// A network's bits beside its reference's, and what the forgiving factor makes of them.
package struct BitStatistics: Hashable, Sendable {
  package var reference: BitCost
  /// Nil for a network in float32: it is not what AutoQKeras compares.
  package var trial: BitCost?
  /// Nil where no search's goal is known.
  package var factor: ForgivingFactor?

  package init(reference: BitCost, trial: BitCost?, factor: ForgivingFactor?) {
    self.reference = reference
    self.trial = trial
    self.factor = factor
  }

  package init(of network: Network, under map: QuantizerMap, factor: ForgivingFactor?) {
    self.init(
      reference: .reference(of: network),
      trial: map.isFloat ? nil : BitCost(of: network, under: map), factor: factor)
  }

  /// The share by which the factor raises or lowers a metric.
  package var delta: Double? {
    guard let factor, let trial else { return nil }
    return factor.delta(reference: reference, trial: trial)
  }

  /// The reference's bits times the factor's stress, as a whole number: `reference_size`.
  package var stressedReference: Int {
    Int(Double(reference.totalBits) * (factor?.stress ?? 1))
  }

  /// The lines of QKeras 0.9.0's `ForgivingFactorBits.print_stats`. Without a trial the reference
  /// stands alone; without a factor the first two are left out.
  package var lines: [String] {
    let indent = "       "
    var lines: [String] = []
    if let factor {
      lines.append(
        "stats: delta_p=\(factor.deltaP / 100) delta_n=\(factor.deltaN / 100) rate=\(factor.rate) "
          + (trial.map { "trial_size=\($0.totalBits) " } ?? "")
          + "reference_size=\(stressedReference)")
    }
    guard let trial else {
      return lines + [
        "\(indent)a_bits=\(reference.activationBits) p_bits=\(reference.parameterBits)",
        "\(indent)total=\(reference.totalBits)",
      ]
    }
    if let delta { lines.append("\(indent)delta=\(Self.percent(100 * delta))%") }
    func part(_ name: String, _ bits: KeyPath<BitCost, Int>) -> String {
      let (trial, reference) = (trial[keyPath: bits], reference[keyPath: bits])
      let change = 100 * Double(trial - reference) / Double(reference)
      // Rounded twice, as AutoQKeras does.
      let rounded = (change * 100).rounded(.toNearestOrEven) / 100
      return "\(name)=\(trial)/\(reference) (\(Self.percent(rounded))%)"
    }
    return lines + [
      "\(indent)\(part("a_bits", \.activationBits)) \(part("p_bits", \.parameterBits))",
      "\(indent)\(part("total", \.totalBits))",
    ]
  }

  /// Python's `{:.2f}`.
  static func percent(_ value: Double) -> String {
    var buffer = [CChar](repeating: 0, count: 64)
    let count = withVaList([value]) { vsnprintf(&buffer, buffer.count, "%.2f", $0) }
    return String(decoding: buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
