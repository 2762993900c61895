//! Rules of the quantizers that the golden values do not reach: best_po2, gradients, refusals.

import Glibc
import Networks
import Quantization
import Testing

@Suite struct QuantizerTests {
  private func quantized(
    _ x: [Float], _ spec: QuantizerSpec, _ layout: WeightLayout
  ) throws -> (values: [Float], scales: [Float]) {
    let quantizer = try Quantizer(spec)
    var y = x
    var scales = [Float](repeating: 0, count: quantizer.scaleCount(for: layout))
    quantizer.quantizeWeights(x, into: &y, layout: layout, scales: &scales)
    return (y, scales)
  }

  private func mapped(
    _ x: [Float], _ spec: QuantizerSpec, samples: Int = 1, isNonNegative: Bool = false
  ) throws -> [Float] {
    var y = x
    try Quantizer(spec).quantizeFeatureMap(
      x, into: &y, samples: samples, elementsPerSample: x.count / samples,
      isNonNegative: isNonNegative)
    return y
  }

  /// The rule of best_po2, written plainly in float64.
  private func naiveBestPo2(_ x: [Float], low: Double, high: Double) -> (
    values: [Float], scale: Float
  ) {
    let largest = Double(x.map(abs).max() ?? 0)
    guard largest > 0 else { return (x, 1) }
    var cover = 1.0
    while cover * high < largest { cover *= 2 }
    while cover / 2 * high >= largest { cover /= 2 }
    func apply(_ scale: Double) -> [Double] {
      x.map { scale * min(max((Double($0) / scale).rounded(.toNearestOrEven), low), high) }
    }
    let candidates = [cover, cover / 2, cover / 4].map { scale in
      (scale, zip(x, apply(scale)).map { (Double($0) - $1) * (Double($0) - $1) }.reduce(0, +))
    }
    let best = candidates.reduce(candidates[0]) { $1.1 < $0.1 ? $1 : $0 }
    return (apply(best.0).map { Float($0) }, Float(best.0))
  }

  @Test(arguments: [2, 3, 4, 8, 16], [1, 2, 5])
  func bestPo2IsTheNaiveRule(bits: Int, seed: UInt32) throws {
    let (rows, channels) = (45, 70)
    let x = sampleValues(rows * channels, seed: seed)
    let spec = QuantizerSpec(bits: bits, integer: bits, symmetric: true, alpha: .bestPo2)
    let high = Double((1 << (bits - 1)) - 1)
    let ours = try quantized(x, spec, .kernel(rows: rows, channels: channels))
    #expect(ours.scales.count == channels)
    for channel in 0..<channels {
      let column = (0..<rows).map { x[$0 * channels + channel] }
      let naive = naiveBestPo2(column, low: -high, high: high)
      #expect(naive.scale == ours.scales[channel])
      #expect(naive.values == (0..<rows).map { ours.values[$0 * channels + channel] })
    }
    // Depthwise kernels scale by channel too; biases and maps have one scale.
    #expect(try quantized(x, spec, .depthwise(rows: rows, channels: channels)) == ours)
    let whole = naiveBestPo2(x, low: -high, high: high)
    #expect(try quantized(x, spec, .bias(count: x.count)).values == whole.values)
    #expect(try mapped(x, spec) == whole.values)
    let positive = x.map(abs)
    #expect(
      try mapped(positive, spec, isNonNegative: true)
        == naiveBestPo2(positive, low: 0, high: Double((1 << bits) - 1)).values)
  }

  @Test func bestPo2OnEdges() throws {
    let spec = QuantizerSpec(bits: 31, integer: 31, symmetric: true, alpha: .bestPo2)
    let zeros = try quantized([0, 0, 0], spec, .bias(count: 3))
    #expect(zeros.values == [0, 0, 0])
    #expect(zeros.scales == [1])
    let bias: [Float] = [0.3, -0.001, 1e-8]
    let fine = try quantized(bias, spec, .bias(count: 3))
    #expect(zip(fine.values, bias).allSatisfy { abs($0 - $1) < 2e-9 })
    let small = QuantizerSpec(bits: 4, symmetric: true, alpha: .bestPo2)
    #expect(try quantized([Float(bitPattern: 700), 0], small, .bias(count: 2)).scales[0] > 0)
    #expect(try quantized([.nan, 1], small, .bias(count: 2)).values[0].isNaN)
    #expect(try quantized([.infinity, 1], small, .bias(count: 2)).values[1] == 1)
  }

  @Test func autoPo2MakesThirtyOneBitBiasesZero() throws {
    let spec = QuantizerSpec(bits: 31, integer: 31, symmetric: true, alpha: .autoPo2)
    let bias = sampleValues(64)
    let quantizer = try Quantizer(spec)
    let statistics = quantizer.statistics(of: bias, layout: .bias(count: 64))
    #expect(statistics.zeroShare == 1)
    #expect(statistics.signalToNoiseDecibels == 0)
    #expect(statistics.scaleExponents.allSatisfy { $0 >= 8 })
    let best = QuantizerSpec(bits: 31, integer: 31, symmetric: true, alpha: .bestPo2)
    let cured = try Quantizer(best).statistics(of: bias, layout: .bias(count: 64))
    #expect(cured.zeroShare == 0)
    #expect((cured.signalToNoiseDecibels ?? 0) > 140)
  }

  @Test func statisticsCountWhatIsClipped() {
    let statistics = QuantizationStatistics(
      original: [3.2, -3.4, 1, 0.2, 0, 9], quantized: [3, -3, 1, 0, 0, 3], scales: [1])
    #expect(statistics.clippedShare == 1.0 / 6)
    #expect(statistics.zeroShare == 1.0 / 6)
    #expect(statistics.scaleExponents == [0])
  }

  @Test func binaryIsTheSign() throws {
    let spec = QuantizerSpec(bits: 1, integer: 0)
    #expect(
      try quantized([-3, -0.1, 0, 0.1, 9], spec, .bias(count: 5)).values == [-1, -1, 1, 1, 1])
    let scaled = QuantizerSpec(bits: 1, alpha: .constant(0.5))
    #expect(try quantized([-3, 2], scaled, .bias(count: 2)).values == [-0.5, 0.5])
  }

  @Test func noiseMixes() throws {
    var spec = QuantizerSpec(bits: 4, integer: 0, alpha: .auto, qnoiseFactor: 1)
    let x = sampleValues(60)
    let full = try quantized(x, spec, .kernel(rows: 10, channels: 6)).values
    spec.qnoiseFactor = 0.25
    let mixed = try quantized(x, spec, .kernel(rows: 10, channels: 6)).values
    for index in x.indices {
      #expect(mixed[index] == x[index] + 0.25 * (full[index] - x[index]))
    }
  }

  @Test func samplesDoNotMix() throws {
    let spec = QuantizerSpec(kind: .featureMap, bits: 8, alpha: .auto)
    let (a, b) = (sampleValues(40, seed: 1), sampleValues(40, seed: 2).map { $0 * 100 })
    #expect(try mapped(a + b, spec, samples: 2) == mapped(a, spec) + mapped(b, spec))
  }

  @Test func kernelsWithoutAlphaBecomeAutoPo2() {
    let spec = QuantizerSpec(bits: 4, integer: 2)
    #expect(spec.effectiveKernelSpec().alpha == .autoPo2)
    #expect(spec.effectiveKernelSpec().symmetric)
    let constant = QuantizerSpec(bits: 4, alpha: .constant(1))
    #expect(constant.effectiveKernelSpec() == constant)
  }

  @Test func whatNothingComputesIsRefused() {
    for spec in [
      QuantizerSpec(useStochasticRounding: true), QuantizerSpec(bits: 0), QuantizerSpec(bits: 33),
      QuantizerSpec(bits: 1, alpha: .auto), QuantizerSpec(integer: 100),
      QuantizerSpec(qnoiseFactor: 1.5), QuantizerSpec(qnoiseFactor: .nan),
      QuantizerSpec(kind: .featureMap, alpha: .auto, scaleAxis: 3),
    ] {
      #expect(throws: QuantizerError.self) { try Quantizer(spec) }
    }
    let spec = QuantizerSpec(alpha: .auto, scaleAxis: 0)
    #expect(throws: QuantizerError.self) {
      try WeightLayout(shape: [3, 3, 4, 8], isDepthwise: false, for: spec)
    }
  }
}
