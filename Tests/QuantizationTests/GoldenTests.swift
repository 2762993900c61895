//! Every quantizer against QKeras 0.9.0's values (make_golden.py writes the file; any seed).

import Networks
import Quantization
import Records
import Tensors
import TestSupport
import Testing

/// How far a case is from QKeras.
private struct Comparison {
  var elements = 0
  var scales = 0
  /// One code apart where the value before rounding is within 1e-5 of a half step.
  var halfSteps = 0
  var faults: [String] = []

  static func isClose(_ a: Float, _ b: Float) -> Bool {
    abs(a - b) <= 1e-6 * max(abs(a), abs(b))
  }
}

@Suite struct GoldenTests {
  @Test func everyCaseAgreesWithQKeras() throws {
    let file = try HDF5File(reading: TestPaths.golden + "/quantizers.h5")
    let cases = try file.members().filter { $0.kind == .group }.map(\.name)
    #expect(cases.count > 50)
    var sum = Comparison()
    for name in cases {
      let kind = try #require(try file.string("kind", of: name))
      let spec = try QuantizerSpec(parsing: try #require(try file.string("quantizer", of: name)))
      let x = try file.tensor(name + "/x")
      let y = try file.tensor(name + "/y")
      let scale = try file.kind(of: name + "/scale").map { _ in try file.tensor(name + "/scale") }
      let compared = try compare(x, y, scale: scale, spec: spec, kind: kind)
      sum.elements += compared.elements
      sum.scales += compared.scales
      sum.halfSteps += compared.halfSteps
      sum.faults += compared.faults.prefix(3).map { "\(name) \(kind) \(spec): \($0)" }
    }
    let counts =
      "\(cases.count) cases, \(sum.elements) elements, \(sum.scales) scales, "
      + "\(sum.halfSteps) elements one code apart at a half step"
    print(counts)
    #expect(sum.faults.isEmpty, "\(counts)\n\(sum.faults.joined(separator: "\n"))")
  }

  private func compare(
    _ x: Tensor, _ y: Tensor, scale: Tensor?, spec: QuantizerSpec, kind: String
  ) throws -> Comparison {
    let quantizer = try Quantizer(spec)
    var ours = x.values
    var steps: [Float]
    if spec.kind == .featureMap {
      let samples = x.shape[0]
      steps = [Float](repeating: 0, count: samples)
      quantizer.quantizeFeatureMap(
        x.values, into: &ours, samples: samples, elementsPerSample: x.values.count / samples,
        isNonNegative: false, scales: &steps)
    } else {
      let layout = try WeightLayout(shape: x.shape, isDepthwise: kind == "depthwise", for: spec)
      steps = [Float](repeating: 0, count: quantizer.scaleCount(for: layout))
      quantizer.quantizeWeights(x.values, into: &ours, layout: layout, scales: &steps)
    }
    var result = Comparison()
    for index in ours.indices {
      result.elements += 1
      guard !Comparison.isClose(ours[index], y.values[index]) else { continue }
      let step =
        spec.kind == .featureMap
        ? steps[index / (x.values.count / x.shape[0])] : steps[index % steps.count]
      let isOneCode = abs(abs(ours[index] - y.values[index]) / step - 1) < 1e-3
      let position = Double(x.values[index]) / Double(step)
      let toHalfStep = abs(position - position.rounded(.down) - 0.5)
      if isOneCode, toHalfStep < 1e-5 {
        result.halfSteps += 1
      } else {
        result.faults.append(
          "[\(index)] \(x.values[index]) gives \(ours[index]), not \(y.values[index])"
            + " (step \(step))")
      }
    }
    // QKeras's scale is in units of 2^integer / 2^(bits - keep_negative).
    let unit = Float(
      sign: .plus, exponent: spec.integer - spec.bits + (spec.keepNegative ? 1 : 0), significand: 1)
    for (index, theirs) in (scale?.values ?? []).enumerated() {
      result.scales += 1
      guard scale?.values.count == steps.count, Comparison.isClose(steps[index], theirs * unit)
      else {
        result.faults.append(
          "scale \(index) is \(steps[index % steps.count]), not \(theirs * unit)")
        continue
      }
    }
    return result
  }
}
