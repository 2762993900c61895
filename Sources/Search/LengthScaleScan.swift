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
  /// sqrt(5) times the points' distances from those before, rows end to end, a 0 at the end of each.
  private var distances: [Double] = []
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
    let distances = points.append(point)
    self.distances += distances
    values.append(value)
    for index in rungs.indices {
      let scale = exp(rungs[index].logScale)
      var row = distances[..<n].map { Matern.value($0 / scale) }
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
    distances.removeLast(distances.count - n * (n + 1) / 2)
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
    let normalised = values.map { ($0 - mean) / deviation }
    let logScale =
      best > 0 && best < rungs.count - 1
      ? refined(around: best, likelihoods, normalised) : rungs[best].logScale
    return GaussianProcess(
      points, values, distances, lengthScale: exp(logScale), alpha: alpha)
  }

  /// The likeliest length scale's logarithm between the neighbours of the best rung: peaks of parabolas
  /// through the three best places, until one promises next to nothing.
  private func refined(
    around best: Int, _ likelihoods: [Double], _ values: [Double]
  ) -> Double {
    var places = ((best - 1)...(best + 1)).map { (rungs[$0].logScale, likelihoods[$0]) }
    for _ in 0..<12 {
      let (left, middle, right) = (places[0], places[1], places[2])
      let rise = (middle.1 - left.1) / (middle.0 - left.0)
      let fall = (right.1 - middle.1) / (right.0 - middle.0)
      let curvature = 2 * (fall - rise) / (right.0 - left.0)
      guard curvature < 0 else { break }
      // The slope at the middle place, by the parabola.
      let slope = rise + curvature / 2 * (middle.0 - left.0)
      let step = -slope / curvature
      let next = middle.0 + step
      guard slope * step / 2 > Self.negligible, next > left.0, next < right.0,
        let factor = CovarianceFactor(
          distances, values, lengthScale: exp(next), alpha: alpha)
      else { break }
      places.insert((next, factor.logLikelihood), at: next < middle.0 ? 1 : 2)
      // The highest of the inner two and its neighbours stay.
      places.remove(at: places[1].1 >= places[2].1 ? 3 : 0)
    }
    return places[1].0
  }

  /// Of a logarithm of likelihood: where it is flat, a scale that is as likely to six digits may be one
  /// whose posterior differs in the fourth.
  private static let negligible = 1e-9
}
