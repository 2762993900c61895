//! The length scale of greatest likelihood, found again after each trial at little cost. Knows no
//! acquisition.

import CKernels
import Glibc

/// Cholesky factors of all trials' covariance at length scales on a grid, each of which grows by a
/// row when a trial comes. So the likelihood is known all over the bounds, and the best of its maxima
/// is found, where KerasTuner climbs from one plus twenty starting points.
package struct LengthScaleScan: Sendable {
  private struct Rung: Sendable {
    let logScale: Double
    /// Rows of the factor end to end.
    var factor: [Double] = []
    /// The factor's inverse times the values, and times ones.
    var values: [Double] = []
    var ones: [Double] = []
    var logDeterminant: [Double] = []
  }

  /// Below 0.01 no two selections are correlated, and the likelihood is what it is there.
  private static let bounds = (log(0.01), log(1e5))
  private static let spacing = 0.4

  let alpha: Double
  private(set) var points: PointColumns
  private(set) var values: [Double] = []
  private var rungs: [Rung]

  package init(dimensions: Int, alpha: Double) {
    self.alpha = alpha
    points = PointColumns(dimensions: dimensions)
    let (low, high) = Self.bounds
    let count = Int(((high - low) / Self.spacing).rounded(.up)) + 1
    rungs = (0..<count).map {
      Rung(logScale: low + (high - low) * Double($0) / Double(count - 1))
    }
  }

  package mutating func append(_ point: [Double], value: Double) {
    let n = points.count
    var distances = [Double](repeating: 0, count: n)
    points.squaredDistances(to: point, into: &distances)
    for i in 0..<n { distances[i] = (5 * distances[i]).squareRoot() }
    points.append(point)
    values.append(value)
    for index in rungs.indices {
      let scale = exp(rungs[index].logScale)
      var row = distances.map { Matern.value($0 / scale) }
      ck_forward_solve(rungs[index].factor, &row, n)
      // Rounding may eat the last bit of a covariance that is all but singular.
      let pivot = max(1 + alpha - ck_dot(row, row, n), 1e-12).squareRoot()
      rungs[index].values.append((value - ck_dot(row, rungs[index].values, n)) / pivot)
      rungs[index].ones.append((1 - ck_dot(row, rungs[index].ones, n)) / pivot)
      rungs[index].logDeterminant.append((rungs[index].logDeterminant.last ?? 0) + log(pivot))
      row.append(pivot)
      rungs[index].factor += row
    }
  }

  /// Takes the last trials back.
  package mutating func removeLast(_ number: Int) {
    let n = points.count - number
    points.removeLast(number)
    values.removeLast(number)
    for index in rungs.indices {
      rungs[index].factor.removeLast(rungs[index].factor.count - n * (n + 1) / 2)
      rungs[index].values.removeLast(number)
      rungs[index].ones.removeLast(number)
      rungs[index].logDeterminant.removeLast(number)
    }
  }

  /// The process at the likeliest length scale.
  package func fitted() -> GaussianProcess? {
    let (mean, deviation) = GaussianProcess.moments(values)
    let likelihoods = rungs.map { rung in
      var squares = 0.0
      for (value, one) in zip(rung.values, rung.ones) {
        let scaled = (value - mean * one) / deviation
        squares += scaled * scaled
      }
      return -0.5 * squares - (rung.logDeterminant.last ?? 0)
    }
    // The first of equals: the smallest scale where nothing is correlated.
    var best = 0
    for index in likelihoods.indices where likelihoods[index] > likelihoods[best] { best = index }
    guard best > 0, best < rungs.count - 1 else {
      return process(rungs[best].logScale)
    }
    return refined(
      likelihoods[best - 1], likelihoods[best], likelihoods[best + 1], around: best)
  }

  private func process(_ logScale: Double) -> GaussianProcess? {
    GaussianProcess(points, values, lengthScale: exp(logScale), alpha: alpha)
  }

  /// From a parabola's peak by secants of the slope, within the neighbours of the best rung.
  private func refined(
    _ left: Double, _ middle: Double, _ right: Double, around best: Int
  ) -> GaussianProcess? {
    let step = rungs[1].logScale - rungs[0].logScale
    let curvature = (left - 2 * middle + right) / (step * step)
    guard curvature < 0 else { return process(rungs[best].logScale) }
    var low = rungs[best - 1].logScale
    var high = rungs[best + 1].logScale
    var place = rungs[best].logScale - (right - left) / (2 * step) / curvature
    var slopeChange = curvature
    var last: (place: Double, slope: Double)?
    var result: GaussianProcess?
    for _ in 0..<6 {
      guard let process = process(place) else { return result }
      result = process
      let slope = process.likelihoodSlope
      if let last, last.place != place {
        let secant = (slope - last.slope) / (place - last.place)
        if secant < 0 { slopeChange = secant }
      }
      if slope > 0 { low = place } else { high = place }
      last = (place, slope)
      var next = place - slope / slopeChange
      if next <= low || next >= high { next = (low + high) / 2 }
      if (next - place).magnitude < 1e-4 { break }
      place = next
    }
    return result
  }
}
