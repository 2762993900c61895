//! What quantization did to a tensor, in numbers that explain it. Knows no quantizer.

import Glibc

/// How a quantized tensor differs from the original.
///
/// auto_po2's defect shows here: scale exponents far above what the values need, hence zeros and
/// little signal to noise, or clipped values where log2 was rounded down.
package struct QuantizationStatistics: Hashable, Sendable {
  package var elements: Int
  /// Share of elements that became 0 and were not.
  package var zeroShare: Double
  /// Share of elements further from their quantized value than half a code: beyond the last code.
  package var clippedShare: Double
  /// 10 log10(sum x^2 / sum (x - q)^2); infinite where nothing changed, nil where x is all zero.
  package var signalToNoiseDecibels: Double?
  /// log2 of each scale (the value of one code), in order; whole numbers for powers of two.
  package var scaleExponents: [Double]

  /// - Parameters:
  ///   - original, quantized: as many values, in C order.
  ///   - scales: the value of one code: one for all; or one for each channel, the last axis; or
  ///     one for each element (which is the same rule).
  package init(original: [Float], quantized: [Float], scales: [Float]) {
    precondition(original.count == quantized.count, "two tensors of different size")
    precondition(!scales.isEmpty && original.count % scales.count == 0, "scales do not fit")
    var (zeros, clipped, signal, noise) = (0, 0, 0.0, 0.0)
    for index in original.indices {
      let (x, q) = (Double(original[index]), Double(quantized[index]))
      // A hair over half a code: float32 rounds the quotient before it is rounded to a code.
      let half = Double(scales[index % scales.count]) * 0.5
      if q == 0, x != 0 { zeros += 1 }
      if abs(x) > abs(q), abs(x - q) > half * 1.0001 + abs(x) * 1e-6 { clipped += 1 }
      signal += x * x
      noise += (x - q) * (x - q)
    }
    elements = original.count
    zeroShare = Double(zeros) / Double(max(elements, 1))
    clippedShare = Double(clipped) / Double(max(elements, 1))
    signalToNoiseDecibels = signal > 0 ? 10 * log10(signal / noise) : nil
    scaleExponents = scales.map { log2(Double($0)) }
  }
}

extension Quantizer {
  /// Statistics of one weight tensor under this quantizer.
  package func statistics(
    of values: [Float], layout: WeightLayout
  ) -> QuantizationStatistics {
    precondition(values.count == layout.elements, "the layout is of another tensor")
    var quantized = values
    var scales = [Float](repeating: 0, count: max(scaleCount(for: layout), 1))
    quantizeWeights(values, into: &quantized, layout: layout, scales: &scales)
    return QuantizationStatistics(original: values, quantized: quantized, scales: scales)
  }
}
