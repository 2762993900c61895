//! Areas under curves against scikit-learn, and what they say where they have no value.

import TestSupport
import Testing
import Training

@Suite struct MetricTests {
  @Test func areasAreScikitLearns() throws {
    let curves = try CallbackFixture.load().curves
    #expect(curves.count == 11)
    for (index, test) in curves.enumerated() {
      let (scores, labels) = try data(test, index)
      if let positives = test.positives { #expect(labels.count { $0 } == positives) }
      let curve = ROCCurve(scores: scores, labels: labels)
      #expect(abs(curve.area - test.area) < 1e-12, "\(index): \(curve.area), \(test.area)")
      for (rate, expected) in test.standardized {
        let actual = curve.standardizedArea(upTo: try #require(Double(rate)))
        #expect(abs(actual - expected) < 1e-12, "\(index) to \(rate): \(actual), \(expected)")
      }
    }
  }

  /// The scores and labels that the script made.
  private func data(
    _ test: CallbackFixture.Curve, _ index: Int
  ) throws -> ([Double], [Bool]) {
    if let scores = test.scores { return (scores, try #require(test.labels).map { $0 == 1 }) }
    let count = try #require(test.count)
    let levels = Float(try #require(test.levels))
    let raw = hashed(count, stream: UInt32(200 + index))
    let draws = hashed(count, stream: UInt32(300 + index))
    let labels = zip(draws, raw).map { $0 + 0.4 * $1 > 0.1 }
    let scores = raw.map { levels > 0 ? ($0 * levels).rounded(.toNearestOrEven) / levels : $0 }
    return (scores.map(Double.init), labels)
  }

  @Test func oneClassOrNaNHasNoArea() {
    let curves = [
      ROCCurve(scores: [0.1, 0.2], labels: [true, true]),
      ROCCurve(scores: [0.1, 0.2], labels: [false, false]),
      ROCCurve(scores: [0.1, .nan], labels: [true, false]), ROCCurve(scores: [], labels: []),
    ]
    for curve in curves {
      #expect(curve.area.isNaN)
      #expect(curve.standardizedArea(upTo: 0.1).isNaN)
    }
  }
}
